# Turns the expected state (src/operate/expected_state.txt) into pgTAP tests: which tables there are, who owns them, row
# security on and forced, their policies with commands and roles, every login's rights, the definer functions.
function text(s) { gsub(/'/, "''", s); return "'" s "'" }
function list(s,    n, parts, i, out) {
    n = split(s, parts, " "); out = ""
    for (i = 1; i <= n; i++) out = out (i > 1 ? "," : "") text(parts[i])
    return "ARRAY[" out "]::name[]"
}
function place(s) { split(s, at, "."); return text(at[1]) "::name, " text(at[2]) "::name" }
function test(sql) { tests[++count] = sql }

$1 == "table" && $5 == "row" {
    test("pgtap.ok((SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = " text($2) "::regclass), 'row security is on and forced: " $2 "')")
}
$1 == "table" || $1 == "view" {
    relations[++related] = $2; kind[$2] = $1
    test("pgtap.is((SELECT relowner::regrole::text FROM pg_class WHERE oid = " text($2) "::regclass), " text($4) ", 'owner of " $2 "')")
}
$1 == "policy" {
    name = $2; on = $4
    match($0, / for [rawd*] to /); command = substr($0, RSTART + 5, 1)
    rest = substr($0, RSTART + 10); sub(/ using .*/, "", rest); gsub(/,/, "", rest)
    policies[on] = policies[on] " " name
    word["r"] = "SELECT"; word["a"] = "INSERT"; word["w"] = "UPDATE"; word["d"] = "DELETE"; word["*"] = "ALL"
    test("pgtap.policy_roles_are(" place(on) ", " text(name) "::name, " list(rest) ")")
    test("pgtap.policy_cmd_is(" place(on) ", " text(name) "::name, " text(word[command]) ")")
}
$1 == "grant" && $3 == "on" && $4 != "schema" && $4 !~ /\(/ { rights[$4 " " $6] = rights[$4 " " $6] " " $2 }
$1 == "function" { sub(/\(.*/, "", $2); split($2, at, "."); functions[at[1]] = functions[at[1]] " " at[2] }
/^function .* security definer/ { definers = definers " " $2 }
END {
    for (i = 1; i <= related; i++) {
        on = relations[i]
        if (kind[on] == "table") test("pgtap.policies_are(" place(on) ", " list(policies[on]) ")")
        n = split("eis_app eis_worker eis_monitor eis_probe", logins, " ")
        for (j = 1; j <= n; j++) {
            # The probe is a member of the portal's login and has nothing else.
            from = logins[j] == "eis_probe" ? "eis_app" : logins[j]
            test("pgtap.table_privs_are(" place(on) ", " text(logins[j]) "::name, " list(rights[on " " from]) ")")
        }
    }
    for (schema in functions) test("pgtap.functions_are(" text(schema) "::name, " list(functions[schema]) ")")
    test("pgtap.set_eq('SELECT DISTINCT n.nspname || ''.'' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prosecdef AND n.nspname IN (''public'', ''private'')', " list(definers) "::text[], 'definer functions')")
    split("eis_app eis_worker eis_monitor", logins, " ")
    for (j = 1; j <= 3; j++) {
        test("pgtap.isnt_superuser(" text(logins[j]) "::name)")
        test("pgtap.is_empty('SELECT 1 FROM pg_roles WHERE rolbypassrls AND rolname = ''" logins[j] "''', '" logins[j] " does not bypass row security')")
        test("pgtap.is_empty('SELECT 1 FROM pg_auth_members WHERE member = ''" logins[j] "''::regrole', '" logins[j] " is a member of nothing')")
    }
    test("pgtap.set_eq('SELECT (relnamespace::regnamespace || ''.'' || relname)::text FROM pg_class WHERE relkind IN (''r'', ''p'', ''v'', ''m'', ''f'') AND relnamespace IN (''public''::regnamespace, ''private''::regnamespace)', " names() ", 'tables and views')")
    print "\\set QUIET on\n\\pset format unaligned\n\\pset tuples_only on\nBEGIN;\nSET LOCAL search_path = pgtap, public;\nSELECT pgtap.plan(" count ");"
    for (i = 1; i <= count; i++) print "SELECT " tests[i] ";"
    print "SELECT * FROM pgtap.finish();\nROLLBACK;"
}
function names(    i, all) { for (i = 1; i <= related; i++) all = all " " relations[i]; return list(all) "::text[]" }
