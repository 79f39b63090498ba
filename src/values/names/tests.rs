//! What hides something is refused or marked; names of all scripts are taken as they are.

use proptest::prelude::*;

use super::*;

/// Names as people have them, with the joiners and marks that their scripts need.
const NAMES: [&str; 20] = [
    "Jörg Müller-Lüdenscheidt",
    "O’Brien & Sons, Inc.",
    "Ёлкина Анна",
    "Γιώργος Παπαδόπουλος",
    "محمد علی",
    "علی‌رضا نوری‌زاده",
    "שרה כהן",
    "क्‍ष नारायण्‌",
    "ශ්‍රී ලංකා",
    "ক্‌ষ",
    "東京ガス株式会社",
    "東京Gas",
    "김철수",
    "ไทยพาณิชย์",
    "Nguyễn Thị Hương",
    "👨‍👩‍👧 Familie",
    "☀️ Solar",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿 England",
    "1️⃣ One",
    "葛󠄀城",
];

/// Characters that hide something wherever they stand.
const HIDDEN: [char; 17] = [
    '\u{0}',
    '\u{7}',
    '\u{1b}',
    '\u{7f}',
    '\u{85}',
    '\u{9b}',
    '\u{ad}',
    '\u{200b}',
    '\u{200e}',
    '\u{202e}',
    '\u{2028}',
    '\u{2066}',
    '\u{2069}',
    '\u{feff}',
    '\u{3164}',
    '\u{e0001}',
    '\u{115f}',
];

#[test]
fn names_of_all_scripts_are_taken_and_shown_as_they_are() {
    for name in NAMES {
        assert_eq!(check(name), Ok(()), "{name}");
        assert_eq!(shown(name), name);
        assert!(!is_mixed(name), "{name}");
    }
}

#[test]
fn a_joiner_or_a_look_where_no_script_has_one_is_refused() {
    for text in
        ["Ad\u{200d}min", "A\u{200c}", "\u{200d}", " \u{200d}x", "a\u{fe0f}", "x \u{fe00}", "М\u{200d}", "\u{e0041}"]
    {
        assert!(check(text).is_err(), "{text:?}");
    }
    assert_eq!(check("a\u{202e}b").unwrap_err(), Hidden('\u{202e}'));
    assert!(Hidden('\u{202e}').to_string().contains("U+202E"));
}

#[test]
fn words_of_several_alphabets_that_look_alike_are_told() {
    for name in ["Аdmin", "Admіn", "Εva", "Peter Мuller", "раypal"] {
        assert!(is_mixed(name), "{name}");
    }
    for name in ["Anna Иванова", "Müller (Мюллер)", "Admin 2", "α-Strom", "株式会社Müller"] {
        assert!(!is_mixed(name), "{name}");
    }
}

#[test]
fn names_that_look_alike_have_one_look() {
    for (one, other) in [("Аdmin", "Admin"), ("раураl", "paypal"), ("Ｅｖａ", "Eva"), ("Eva  Roth", "eva roth")]
    {
        assert_eq!(look(one), look(other), "{one} {other}");
    }
    for (one, other) in [("Eva", "Ewa"), ("Müller", "Mueller"), ("Anna", "Hanna")] {
        assert_ne!(look(one), look(other), "{one} {other}");
    }
}

proptest! {
    #[test]
    fn what_is_shown_hides_nothing(text in "\\PC{0,12}", at in 0_usize..13, hidden in prop::sample::select(HIDDEN.to_vec())) {
        let mut with: Vec<char> = text.chars().collect();
        with.insert(at.min(with.len()), hidden);
        let with: String = with.into_iter().collect();
        prop_assert!(check(&with).is_err());
        let shown = shown(&with).into_owned();
        prop_assert!(check(&shown).is_ok(), "{:?}", shown);
        prop_assert_eq!(shown.chars().count(), with.chars().count());
    }

    #[test]
    fn latin_and_cyrillic_in_one_word_are_told(latin in "[a-zA-Z]{1,8}", cyrillic in "[а-яА-Я]{1,8}") {
        prop_assert!(is_mixed(&format!("{latin}{cyrillic}")), "{latin}{cyrillic}");
        let apart = format!("{latin} {cyrillic}");
        prop_assert!(!is_mixed(&apart), "{apart}");
    }
}
