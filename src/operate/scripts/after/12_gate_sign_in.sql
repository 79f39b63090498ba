-- The gate: signing in, and switching to another assignment.
-- A script: it is applied again whenever it changes, after the migrations (docs/migrations.md).

SET LOCAL ROLE eis_gate;

-- ── Signing in ─────────────────────────────────────────────────────────────────────────────────────

-- How many seconds an attempt on an account from an address must wait; NULL: it may be made now. At most
--   10 wrong attempts on an account from one address in 15 minutes, counted anew after a right one: nobody elsewhere locks a person out;
--   50 from one address in 15 minutes, whatever the account;
--   50 on an account from everywhere in an hour, unless somebody signed in to it from this address before: guessing from many
--   addresses is bounded, and the rightful person at a usual place is not held up.
-- What is under way counts as wrong until it is known.
CREATE OR REPLACE FUNCTION private.retry_after(account bytea, address text) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    here text := left(address, 64);
    known timestamptz := (SELECT max(s.at) FROM public.sign_ins s
        WHERE s.account = retry_after.account AND s.address = here AND s.outcome = 'signed_in');
    waits timestamptz := greatest(
        (SELECT min(s.at) + interval '15 minutes' FROM public.sign_ins s
         WHERE s.account = retry_after.account AND s.address = here AND s.outcome IN ('entered', 'wrong')
           AND s.at > greatest(known, now() - interval '15 minutes') HAVING count(*) >= 10),
        (SELECT min(s.at) + interval '15 minutes' FROM public.sign_ins s
         WHERE s.address = here AND s.outcome IN ('entered', 'wrong') AND s.at > now() - interval '15 minutes' HAVING count(*) >= 50),
        (SELECT min(s.at) + interval '1 hour' FROM public.sign_ins s
         WHERE s.account = retry_after.account AND s.outcome IN ('entered', 'wrong') AND s.at > now() - interval '1 hour' AND known IS NULL
         HAVING count(*) >= 50));
BEGIN
    RETURN CASE WHEN waits IS NOT NULL THEN greatest(1, ceil(extract(epoch FROM waits - now()))::integer) END;
END $$;

-- Enters an attempt: it counts from now on, before anything is digested or compared. The caller's transaction should hold nothing
-- else, so that it ends at once. NULL and the seconds to wait where a limit holds.
CREATE OR REPLACE FUNCTION private.enter_attempt(account bytea, person uuid, address text, OUT attempt bigint, OUT retry_after integer)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE here text := left(address, 64);
BEGIN
    -- In turn for an account, then for an address, and always in this order: those who come at once see each other's.
    PERFORM pg_advisory_xact_lock(77, hashtext(encode(account, 'hex')));
    PERFORM pg_advisory_xact_lock(78, hashtext(here));
    retry_after := private.retry_after(account, here);
    IF retry_after IS NULL THEN
        INSERT INTO public.sign_ins (user_id, account, address, outcome) VALUES (person, enter_attempt.account, here, 'entered') RETURNING id INTO attempt;
        RETURN;
    END IF;
    -- Refusals without end leave one line in a quarter of an hour.
    PERFORM 1 FROM public.sign_ins s WHERE s.account = enter_attempt.account AND s.address = here AND s.outcome = 'limited' AND s.at > now() - interval '15 minutes';
    IF NOT FOUND THEN
        INSERT INTO public.sign_ins (user_id, account, address, outcome) VALUES (person, enter_attempt.account, here, 'limited');
    END IF;
END $$;

-- The attempt to try now: the one that was entered for it, or one entered here; NULL where a limit holds. Each is tried once.
CREATE OR REPLACE FUNCTION private.attempt_to_try(account bytea, person uuid, address text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE attempt bigint;
BEGIN
    SELECT s.id INTO attempt FROM public.sign_ins s
    WHERE s.account = attempt_to_try.account AND s.address = left(attempt_to_try.address, 64) AND s.outcome = 'entered'
      AND s.at > now() - interval '15 minutes'
    ORDER BY s.at DESC, s.id DESC LIMIT 1 FOR UPDATE SKIP LOCKED;
    RETURN coalesce(attempt, (SELECT e.attempt FROM private.enter_attempt(account, person, address) e));
END $$;

-- Says what came of an attempt. One that was right gives its own count back.
CREATE OR REPLACE FUNCTION private.end_attempt(attempt bigint, outcome text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE public.sign_ins s SET outcome = end_attempt.outcome WHERE s.id = attempt
$$;

-- Tries a password digest for an account, whoever asks and wherever: one limit, one record. 'signed_in', 'wrong' or 'limited'.
CREATE OR REPLACE FUNCTION private.try_password(person public.users, email text, digest bytea, address text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    attempt bigint := private.attempt_to_try(private.account_key(email), person.id, address);
    outcome text;
BEGIN
    IF attempt IS NULL THEN RETURN 'limited'; END IF;
    outcome := CASE WHEN person.id IS NULL OR person.password_proof IS DISTINCT FROM sha256(digest) THEN 'wrong' ELSE 'signed_in' END;
    PERFORM private.end_attempt(attempt,
        CASE WHEN outcome = 'signed_in' AND private.has_second_factor(person.id) THEN 'password' ELSE outcome END);
    RETURN outcome;
END $$;

-- What attempts on an account are counted under: an address that nobody has is kept as a hash only.
CREATE OR REPLACE FUNCTION private.account_key(email text) RETURNS bytea LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT sha256(convert_to(lower(trim(email)), 'UTF8'))
$$;

-- A steady salt for an account that there is not, with the parameters of the account whose salt comes next: of a hundred
-- unknown accounts as many have weaker parameters as of a hundred known ones, and each of them one day no longer.
CREATE OR REPLACE FUNCTION private.made_up_salt(email text) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE made_up CONSTANT text := left(private.mac('salt|' || lower(trim(email)), 0), 32);
BEGIN
    RETURN coalesce(
        (SELECT left(u.password_salt, -32) FROM public.users u WHERE split_part(u.password_salt, '$', 5) >= made_up
            ORDER BY split_part(u.password_salt, '$', 5) LIMIT 1),
        (SELECT left(u.password_salt, -32) FROM public.users u WHERE u.password_salt IS NOT NULL
            ORDER BY split_part(u.password_salt, '$', 5) LIMIT 1),
        -- Nobody has a login yet.
        '$argon2id$v=19$m=19456,t=2,p=1$') || made_up;
END $$;

-- What Argon2id's parameters cost: memory times rounds.
CREATE OR REPLACE FUNCTION private.salt_cost(salt text) RETURNS bigint LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT substring(salt FROM 'm=([0-9]+)')::bigint * substring(salt FROM 't=([0-9]+)')::bigint
$$;

-- The same password, digested under stronger parameters. It is no other password: sessions and links that are bound to how it
-- was kept are bound to how it is kept now, and go on.
CREATE OR REPLACE FUNCTION private.strengthen_password(person public.users, salt text, digest bytea) RETURNS public.users LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE kept public.users;
BEGIN
    UPDATE public.users u SET password_salt = salt, password_proof = sha256(digest)
    WHERE u.id = person.id AND u.password_proof = person.password_proof RETURNING u.* INTO kept;
    -- Another sign-in did it meanwhile, or the password was changed.
    IF kept.id IS NULL THEN RETURN person; END IF;
    UPDATE public.sessions s SET auth_hash = private.auth_hash(kept, (SELECT a FROM public.role_assignments a WHERE a.id = s.assignment_id))
    WHERE s.user_id = kept.id AND s.auth_hash = private.auth_hash(person, (SELECT a FROM public.role_assignments a WHERE a.id = s.assignment_id));
    PERFORM private.rebind_reset(kept.id, sha256(person.password_proof), sha256(kept.password_proof));
    RETURN kept;
END $$;

CREATE OR REPLACE FUNCTION public.sign_in_salt(email text, address text, OUT salt text, OUT retry_after integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    person public.users;
    made_up text;
BEGIN
    PERFORM private.fresh_snapshot();
    SELECT u.* INTO person FROM public.users u WHERE lower(u.email) = lower(trim(sign_in_salt.email)) AND u.status = 'active';
    SELECT e.retry_after INTO retry_after FROM private.enter_attempt(private.account_key(email), person.id, address) e;
    -- Asked of every account, so that both take the same time.
    made_up := private.made_up_salt(sign_in_salt.email);
    salt := coalesce(person.password_salt, made_up);
END $$;
COMMENT ON FUNCTION public.sign_in_salt IS
    'Enters an attempt to sign in, which counts from now on, and tells parameters and salt of the account, as PHC strings write them; for an unknown one a steady made-up one, so that both look and cost the same. Where a limit on attempts holds, how long: then nothing needs to be digested.';

-- `new_digest`: of the same password under `new_salt`, whose parameters are stronger than those that it was tried under.
CREATE OR REPLACE FUNCTION public.sign_in(email text, digest bytea, address text, new_salt text DEFAULT NULL, new_digest bytea DEFAULT NULL, OUT outcome text, OUT ticket bytea, OUT user_id uuid, OUT retry_after integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    person public.users;
    choice uuid;
    choices integer;
BEGIN
    PERFORM private.fresh_snapshot();
    SELECT u.* INTO person FROM public.users u WHERE lower(u.email) = lower(trim(sign_in.email)) AND u.status = 'active';
    outcome := private.try_password(person, email, digest, address);
    IF outcome = 'limited' THEN
        retry_after := private.retry_after(private.account_key(email), address);
    ELSIF outcome = 'signed_in' THEN
        SELECT count(*), (array_agg(a.id))[1] INTO choices, choice FROM public.role_assignments a WHERE a.user_id = person.id AND private.in_force(a);
        user_id := person.id;
        IF private.salt_cost(new_salt) > private.salt_cost(person.password_salt) THEN
            person := private.strengthen_password(person, new_salt, new_digest);
        END IF;
        IF private.has_second_factor(person.id) THEN outcome := 'code_needed'; END IF;
        ticket := private.issue_ticket(person, CASE WHEN choices = 1 THEN choice END, NULL, NULL, outcome = 'code_needed');
    END IF;
END $$;
COMMENT ON FUNCTION public.sign_in IS 'Checks a password digest, limits attempts, and gives a ticket for a new session. One assignment is opened at once; of several the person chooses. A right password is kept under stronger parameters, where the caller digested it so too.';

CREATE OR REPLACE FUNCTION public.my_assignments() RETURNS TABLE (
    assignment_id uuid, role text, organization_name text, organization_slug text, client_name text, account_number text, customer_name text,
    narrowed text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT a.id, a.role, g.name, g.slug, c.name, n.account_number, k.name, a.narrowed
    FROM public.role_assignments a
    LEFT JOIN public.organizations g ON g.id = a.organization_id
    LEFT JOIN public.clients c ON c.organization_id = a.organization_id AND c.id = a.client_id
    LEFT JOIN public.customers k ON k.organization_id = a.organization_id AND k.client_id = a.client_id AND k.id = a.customer_id
    LEFT JOIN public.accounts n ON n.organization_id = a.organization_id AND n.client_id = a.client_id AND n.customer_id = a.customer_id AND n.is_main
    WHERE a.user_id = public.get_current_user_id() AND private.in_force(a)
    ORDER BY g.name NULLS FIRST, c.name NULLS FIRST, k.name;
END $$;
COMMENT ON FUNCTION public.my_assignments IS 'What the user of this context may switch to.';

-- Gives a ticket for a new session under another assignment of the same person, or, for EIS staff, another organization.
CREATE OR REPLACE FUNCTION public.switch_context(secret bytea, assignment uuid, organization uuid) RETURNS bytea
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    live record;
    a public.role_assignments;
BEGIN
    SELECT * INTO live FROM private.live_session(secret, true, true);
    SELECT x.* INTO a FROM public.role_assignments x
        WHERE x.id = coalesce(assignment, (live.session).assignment_id) AND x.user_id = (live.person).id AND private.in_force(x);
    IF a.id IS NULL OR (organization IS NOT NULL AND a.role <> 'eis_staff') THEN
        RAISE EXCEPTION 'this is not yours to open' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    IF organization IS NOT NULL THEN
        IF private.second_factor_due((live.person).id, a.role) <= statement_timestamp() THEN
            RAISE EXCEPTION 'this role needs a second factor' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'second_factor_needed';
        END IF;
        PERFORM 1 FROM public.organizations g WHERE g.id = organization;
        IF NOT FOUND THEN RAISE EXCEPTION 'this is not yours to open' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours'; END IF;
        INSERT INTO public.audit_log (organization_id, id, user_id, user_name, role, action, entity, entity_id, summary)
        VALUES (organization, gen_random_uuid(), (live.person).id, (live.person).name, 'eis_staff', 'open', 'organization', organization,
            'EIS staff opened the organization');
    END IF;
    RETURN private.issue_ticket(live.person, a.id, organization, (live.session).expires_at);
END $$;

CREATE OR REPLACE FUNCTION public.staff_organizations(search text, page_offset integer, page_limit integer)
RETURNS TABLE (id uuid, slug text, name text, status text, clients bigint, total bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF public.get_current_role() IS DISTINCT FROM 'eis_staff' THEN
        RAISE EXCEPTION 'for EIS staff' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'not_yours';
    END IF;
    RETURN QUERY SELECT g.id, g.slug, g.name, g.status,
        (SELECT count(*) FROM public.clients c WHERE c.organization_id = g.id), count(*) OVER ()
    FROM public.organizations g
    WHERE search = '' OR strpos(lower(g.name || ' ' || g.slug), lower(search)) > 0
    ORDER BY g.name, g.id OFFSET page_offset LIMIT page_limit;
END $$;
COMMENT ON FUNCTION public.staff_organizations IS 'All organizations by name, for EIS staff; names and the number of clients, nothing else.';

REVOKE ALL ON FUNCTION private.retry_after, private.enter_attempt, private.attempt_to_try, private.end_attempt, private.try_password,
    private.account_key, private.made_up_salt, private.salt_cost, private.strengthen_password, public.sign_in_salt, public.sign_in,
    public.my_assignments, public.switch_context, public.staff_organizations FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.sign_in_salt, public.sign_in, public.my_assignments, public.switch_context, public.staff_organizations TO eis_app;
SET LOCAL ROLE eis_owner;
