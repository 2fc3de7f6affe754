//! The dotenv grammar as a table.

use super::*;

fn outside(name: &str) -> Option<String> {
    match name {
        "OUTSIDE" => Some("from outside".into()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn pairs(text: &str, format: Format) -> Vec<(String, String)> {
    parse(text, "test.env", format, &outside).unwrap_or_else(|errors| panic!("{text:?}: {errors:#?}"))
}

fn check(format: Format, cases: &[(&str, &[(&str, &str)])]) {
    for (text, expected) in cases {
        let found = pairs(text, format);
        let found: Vec<(&str, &str)> = found.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(found, *expected, "{text:?}");
    }
}

#[test]
fn the_compose_format() {
    check(
        Format::Compose,
        &[
            ("", &[]),
            ("# only\n\n  # comments", &[]),
            ("A=1\nB= 2\nC =3\nD = 4", &[("A", "1"), ("B", "2"), ("C", "3"), ("D", "4")]),
            ("A: 1\nB:2", &[("A", "1"), ("B", "2")]),
            ("export A=1\nexport\tB='\\n'", &[("A", "1"), ("B", "\\n")]),
            ("exported=1", &[("exported", "1")]),
            ("A=\nB = \n", &[("A", ""), ("B", "")]),
            ("A = my string # comment", &[("A", "my string")]),
            ("A=b#c", &[("A", "b#c")]),
            ("A='x' # comment\nB=\"y\"# comment", &[("A", "x"), ("B", "y")]),
            ("A=''\nB=\"\"", &[("A", ""), ("B", "")]),
            ("A='one\ntwo'\nB=3", &[("A", "one\ntwo"), ("B", "3")]),
            ("A='Let\\'s go'", &[("A", "Let's go")]),
            ("A=\"say \\\"hi\\\"\"", &[("A", "say \"hi\"")]),
            ("A=\"a\\nb\\tc\\\\d\"", &[("A", "a\nb\tc\\d")]),
            ("A='a\\nb'", &[("A", "a\\nb")]),
            ("A=\"\\0101\\q\"", &[("A", "A\\q")]),
            ("456=ABC\nV.1=d\nV-2=e\nV[0]=f", &[("456", "ABC"), ("V.1", "d"), ("V-2", "e"), ("V[0]", "f")]),
            ("A=1\nB=${A}\nC=$B\nD=${A}_${B}", &[("A", "1"), ("B", "1"), ("C", "1"), ("D", "1_1")]),
            (
                "A='$OUTSIDE'\nB=\"$OUTSIDE\"\nC=$OUTSIDE",
                &[("A", "$OUTSIDE"), ("B", "from outside"), ("C", "from outside")],
            ),
            ("OUTSIDE=here\nA=$OUTSIDE", &[("OUTSIDE", "here"), ("A", "from outside")]),
            ("A=\"\\$B\"\nC=$$D\nE=a$", &[("A", "$B"), ("C", "$D"), ("E", "a$")]),
            ("A=${B:-x}\nB=${EMPTY:-y}", &[("A", "x"), ("B", "y")]),
            ("OUTSIDE\nMISSING\nA=1", &[("OUTSIDE", "from outside"), ("A", "1")]),
            ("OUTSIDE", &[("OUTSIDE", "from outside")]),
            ("A=1\nB=2\nA=3", &[("A", "3"), ("B", "2")]),
            ("\u{feff}A=1", &[("A", "1")]),
            ("A=1\r\nB=\"2\"\r\nC\r\n", &[("A", "1"), ("B", "2")]),
            ("É=è # ü", &[("É", "è")]),
            ("A=x=y:z", &[("A", "x=y:z")]),
        ],
    );
}

#[test]
fn the_raw_format() {
    check(
        Format::Raw,
        &[
            ("A='1'\nB=\"2\" # x\nC=$A", &[("A", "'1'"), ("B", "\"2\" # x"), ("C", "$A")]),
            ("# c\n\n  A= 1 \r\nOUTSIDE\nMISSING", &[("A", " 1 "), ("OUTSIDE", "from outside")]),
            ("A=1\nA=2", &[("A", "2")]),
        ],
    );
}

#[test]
fn errors_have_a_place_and_no_value() {
    let cases = [
        (Format::Compose, "A=1\nB C\n", 2, 1),
        (Format::Compose, "A=1\n B!=2", 2, 3),
        (Format::Compose, "=x", 1, 1),
        (Format::Compose, "# c\nA=\"hunter2\n", 2, 3),
        (Format::Compose, "A='hunter2", 1, 3),
        (Format::Compose, "A=${hunter2", 1, 3),
        (Format::Compose, "A=\"${B:?needed}\"", 1, 3),
        (Format::Raw, "A=1\nB C=hunter2", 2, 1),
        (Format::Raw, "=hunter2", 1, 1),
    ];
    for (format, text, line, column) in cases {
        let errors = parse(text, "test.env", format, &outside).expect_err(text);
        let [error] = errors.as_slice() else { panic!("{text:?}: {errors:#?}") };
        let span = error.span.as_ref().expect("a place");
        assert_eq!((&*span.file, span.line, span.column), ("test.env", line, column), "{text:?}");
        assert!(!format!("{error} {:?}", error.help).contains("hunter2"), "{error}");
    }
}

#[test]
fn expansion_is_bounded() {
    let mut text = String::from("A0=xxxxxxxxxxxxxxxx\n");
    for n in 1..40 {
        text.push_str(&format!("A{n}=$A{p}$A{p}\n", p = n - 1));
    }
    let errors = parse(&text, "bomb.env", Format::Compose, &|_| None).expect_err("a bomb");
    assert_eq!(errors[0].code.id, "KPX7104");
}
