//! What the CSV import accepts, refuses and makes of it.
#![allow(clippy::unwrap_used, reason = "a test is a claim, and a panic refutes it")]

use std::io::{self, Read};

use coffer_interchange::csv::{self, CsvError, ImportedRow, RowError, RowProblem};
use coffer_interchange::mapping::{Assignment, AssignmentError, MappingError, Target};
use coffer_model::record::{FieldType, InvalidRecord, RecordContent};

/// Imports with the suggested mapping.
fn import(file: &[u8]) -> Vec<Result<ImportedRow, RowError>> {
    let mapping = csv::inspect(file).unwrap().mapping;
    csv::read(file, mapping).unwrap().collect()
}

fn records(file: &[u8]) -> Vec<RecordContent> {
    import(file).into_iter().map(|row| row.unwrap().content).collect()
}

fn first_error(file: &[u8]) -> RowError {
    import(file).into_iter().find_map(Result::err).unwrap()
}

fn value<'a>(record: &'a RecordContent, name: &str) -> Option<&'a str> {
    record.fields().iter().find(|field| field.name == name).map(|field| field.value.expose())
}

fn field_type(file: &[u8], column: &str) -> Option<FieldType> {
    let mapping = csv::inspect(file).unwrap().mapping;
    mapping.columns().iter().find(|found| found.name == column).unwrap().target.field_type()
}

#[test]
fn a_byte_order_mark_and_the_line_ends_change_nothing() {
    let plain = records("Title,PIN\nDoor,1234\nSafe,\"a\"\"b\"\n".as_bytes());
    assert_eq!(value(&plain[1], "PIN"), Some("a\"b"));
    for same in [
        "\u{FEFF}Title,PIN\nDoor,1234\nSafe,\"a\"\"b\"\n",
        "Title,PIN\r\nDoor,1234\r\nSafe,\"a\"\"b\"\r\n",
        "\u{FEFF}\"Title\",\"PIN\"\r\n\"Door\",\"1234\"\n\r\n\n\"Safe\",\"a\"\"b\"",
        "Title;PIN\nDoor;1234\nSafe;\"a\"\"b\"\n",
        "Title\tPIN\nDoor\t1234\nSafe\t\"a\"\"b\"\n",
    ] {
        assert_eq!(records(same.as_bytes()), plain, "{same:?}");
    }
}

#[test]
fn a_separator_inside_quotes_in_the_header_is_not_the_separator() {
    let inspection = csv::inspect(&b"\"Name, full\";Title\nx;y\n"[..]).unwrap();
    assert_eq!((inspection.separator, inspection.columns), (';', vec!["Name, full".to_owned(), "Title".to_owned()]));
}

#[test]
fn cells_keep_line_breaks_and_outer_spaces() {
    let file = b"Title,Password,Notes\nx,\" p \",\"a\r\nb\n\"\n";
    let record = &records(file)[0];
    assert_eq!((value(record, "Password"), record.notes()), (Some(" p "), "a\r\nb\n"));
}

#[test]
fn lines_are_those_an_editor_shows() {
    let file = b"\n\"Title\n\",Notes\n"; // The header's name is trimmed.
    assert!(matches!(csv::inspect(&file[..]), Err(CsvError::HeaderOnly)));
    let file = b"\r\nTitle,Notes\r\na,\"1\r\n2\r\n\r\n3\"\r\n\r\n\nb,x\nc,\"\n\n\"\nd,\n";
    let lines: Vec<u64> = import(file).into_iter().map(|row| row.unwrap().line).collect();
    assert_eq!(lines, [3, 9, 10, 13]);
}

#[test]
fn a_wrong_row_names_its_line_and_the_rows_after_it_still_come() {
    let file = b"Title,Notes\na,\"1\n2\"\nb\nc,d,e\nf,\xFF\ng,\"h\"i\nj,k\rl\nm,\0\nn,o\n";
    let rows = import(file);
    let errors: Vec<(u64, &str, Option<&str>)> = rows
        .iter()
        .filter_map(|row| row.as_ref().err())
        .map(|error| (error.line, error.problem.code(), error.column.as_deref()))
        .collect();
    assert_eq!(
        errors,
        [
            (4, "too_few_cells", None),
            (5, "too_many_cells", None),
            (6, "not_utf8", Some("Notes")),
            (7, "text_after_quote", Some("Notes")),
            (8, "stray_carriage_return", Some("Notes")),
            (9, "nul_character", Some("Notes")),
        ]
    );
    assert_eq!(rows.last().unwrap().as_ref().unwrap().line, 10);
}

#[test]
fn a_quote_that_is_never_closed_is_an_error_and_swallows_nothing_silently() {
    let file = b"Title,Notes\na,b\nc,\"d\ne,f\n";
    let error = first_error(file);
    assert_eq!((error.line, error.problem), (3, RowProblem::UnclosedQuote));
    let mut long = b"Title,Notes\nc,\"".to_vec();
    long.resize(3 * 1024 * 1024, b'x');
    assert_eq!(first_error(&long).problem, RowProblem::UnclosedQuote);
}

#[test]
fn files_without_rows_are_refused() {
    let inspect = |file: &[u8]| csv::inspect(file).unwrap_err().code();
    assert_eq!(inspect(b""), "csv_empty");
    assert_eq!(inspect(b"\xEF\xBB\xBF\n\r\n"), "csv_empty");
    assert_eq!(inspect(b"Title,Notes"), "csv_header_only");
    assert_eq!(inspect(b"Title,Notes\n\r\n\n"), "csv_header_only");
    assert_eq!(inspect(b"\xFF\xFET\0i\0"), "csv_utf16");
}

#[test]
fn headers_must_name_every_column_once() {
    let inspect = |file: &[u8]| csv::inspect(file).unwrap_err();
    assert!(matches!(inspect(b"Title,, b\nx,y,z\n"), CsvError::NamelessColumn { column: 2 }));
    assert!(matches!(inspect(b"Title,a, a\nx,y,z\n"), CsvError::RepeatedColumn { column: 3, first: 2 }));
    assert!(matches!(inspect(b"Title,\"a\nb\"\nx,y\n"), CsvError::ColumnName { column: 2 }));
    assert!(matches!(inspect(b"Title,\"a\nx,y\n"), CsvError::Header { column: Some(2), .. }));
    assert!(matches!(inspect(b"Title,\xC3\nx,y\n"), CsvError::Header { column: Some(2), .. }));
    let long = |chars: usize| format!("Title,{}\nx,y\n", "é".repeat(chars));
    assert!(csv::inspect(long(120).as_bytes()).is_ok());
    assert!(matches!(inspect(long(121).as_bytes()), CsvError::ColumnName { column: 2 }));
}

#[test]
fn five_hundred_columns_are_read_and_one_more_is_not() {
    let file = |columns: usize| {
        let names: Vec<String> = (1..columns).map(|n| format!("c{n}")).collect();
        format!("Title,{}\nx{}\n", names.join(","), ",".repeat(columns - 1))
    };
    assert_eq!(records(file(500).as_bytes()).len(), 1);
    assert!(matches!(csv::inspect(file(501).as_bytes()), Err(CsvError::TooManyColumns)));
}

#[test]
fn sizes_are_limited_at_the_limit() {
    let file = |notes: usize, others: usize, other: usize| {
        let names: Vec<String> = (0..others).map(|n| format!(",c{n}")).collect();
        let names = names.concat();
        let cells = format!(",{}", "x".repeat(other)).repeat(others);
        format!("Title,Notes{names}\nt,{}{cells}\nnext,{}\n", "x".repeat(notes), ",".repeat(others))
    };
    let kib = 1024;
    assert!(import(file(256 * kib, 0, 0).replace("next,", "next,y").as_bytes()).iter().all(Result::is_ok));
    let error = first_error(file(256 * kib + 1, 0, 0).as_bytes());
    assert_eq!((error.line, error.column.as_deref(), error.problem), (2, Some("Notes"), RowProblem::CellTooLarge));
    let rows = import(file(200 * kib, 5, 200 * kib).as_bytes());
    assert_eq!(rows[0].as_ref().unwrap_err().problem, RowProblem::RowTooLarge);
    assert_eq!(rows[1].as_ref().unwrap().content.title(), "next");
}

#[test]
fn a_hostile_row_of_commas_costs_no_memory_for_its_cells() {
    let file = (&b"Title,Notes\n"[..]).chain(io::repeat(b',').take(5_000_000));
    let error = csv::read(file, csv::inspect(&b"Title,Notes\n,\n"[..]).unwrap().mapping).unwrap().next().unwrap();
    assert_eq!(error.unwrap_err().problem, RowProblem::TooManyCells { expected: 2, found: 5_000_001 });
}

/// Fails after the bytes it has.
struct Torn<'a>(&'a [u8]);

impl Read for Torn<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_further_ends_with_that_error() {
    let file = b"Title,Notes\na,b\nc,";
    let mapping = csv::inspect(&file[..]).unwrap().mapping;
    assert!(matches!(csv::inspect(Torn(file)), Err(CsvError::Unreadable(_))));
    let small = Torn(b"Title,Notes\n");
    assert!(matches!(csv::read(small, mapping.clone()), Err(CsvError::Unreadable(_))));
    // Longer than one reading, so that the beginning arrives.
    let long = [&b"Title,Notes\na,b\n"[..], &b"c,d\n".repeat(40_000)].concat();
    let rows: Vec<_> = csv::read(Torn(&long), mapping).unwrap().collect();
    assert!(rows[0].is_ok());
    assert_eq!(rows.iter().filter(|row| row.is_err()).count(), 1);
    let last = rows.last().unwrap().as_ref().unwrap_err();
    assert_eq!(last.problem, RowProblem::Unreadable(io::ErrorKind::UnexpectedEof));
}

#[test]
fn contacts_are_understood_by_their_header() {
    let file = include_bytes!("data/contacts.csv");
    let people = records(file);
    let titles: Vec<&str> = people.iter().map(RecordContent::title).collect();
    assert_eq!(titles, ["Ines Berger", "Tomáš", "Orrin Freight"]);
    assert!(people.iter().all(|person| person.kind().as_str() == "contact"));
    assert_eq!(value(&people[0], "Address"), Some("Hauptstraße 1\n10115 Berlin"));
    assert_eq!(value(&people[1], "Company"), None, "an empty cell makes no field");
    for (column, expected) in [
        ("First Name", FieldType::Text),
        ("E-mail", FieldType::Email),
        ("Phone", FieldType::Phone),
        ("Birthday", FieldType::Date),
        ("Address", FieldType::Multiline),
    ] {
        assert_eq!(field_type(file, column), Some(expected), "{column}");
    }
}

#[test]
fn titles_are_found_under_their_usual_names() {
    for (header, title) in [
        ("x,Title,name", "2"),
        ("name,url,username", "1"),
        ("Firma,Telefon,Ort", "1"),
        ("Vorname,Name,Firma", "1 2"),
        ("Title,First Name,Last Name", "2 3"),
        ("Name,Given Name,Family Name", "1"),
        ("url,username,password", "1"),
        ("login_username,login_password,x", "1"),
    ] {
        let file = format!("{header}\n1,2,3\n");
        assert_eq!(records(file.as_bytes())[0].title(), title, "{header}");
    }
}

#[test]
fn the_type_of_a_column_is_settled_by_the_sample_and_a_later_misfit_is_an_error() {
    assert_eq!(field_type(b"Title,Created\na,2024-01-31\nb,\n", "Created"), Some(FieldType::Date));
    assert_eq!(field_type(b"Title,Created\na,2024-01-31\nb,31.01.2024\n", "Created"), Some(FieldType::Text));
    assert_eq!(field_type(b"Title,Phone\na,+49 30 1\nb,see \"Notes\"!\n", "Phone"), Some(FieldType::Text));
    assert_eq!(field_type(b"Title,Mailing address\na,\"x\ny\"\n", "Mailing address"), Some(FieldType::Multiline));
    let mut file = b"Title,Created\n".to_vec();
    file.extend(b"a,2024-01-31\n".repeat(csv::SAMPLE_ROWS));
    file.extend(b"b,canary-31.01.2024\n");
    let error = first_error(&file);
    assert_eq!(error.line, 10_002);
    assert_eq!(error.column.as_deref(), Some("Created"));
    assert_eq!(error.problem, RowProblem::Value(FieldType::Date));
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[test]
fn groups_become_tags_and_kinds_are_read_as_people_write_them() {
    let file = b"name,kind,folder\na,Bank account,\"Work; Home\"\nb,,\n";
    let all = records(file);
    assert_eq!((all[0].kind().as_str(), all[0].tags()), ("bank_account", &["Home".to_owned(), "Work".to_owned()][..]));
    assert_eq!(all[1].kind().as_str(), "custom");
    let odd = b"name,type,folder\na,SaaS,x\n";
    assert_eq!(value(&records(odd)[0], "type"), Some("SaaS"), "not a kind, so a field");
}

#[test]
fn a_secret_never_becomes_a_title() {
    let file = b"Password,Token\nhunter2,abc\n";
    let mapping = csv::inspect(&file[..]).unwrap().mapping;
    assert_eq!(mapping.check(), Err(MappingError::NoTitle));
    let file = b"username,password\nroot,hunter2\n";
    let inspection = csv::inspect(&file[..]).unwrap();
    let mut mapping = inspection.mapping;
    assert_eq!(mapping.check(), Ok(()));
    let secret = Assignment::parse("username=User:secret", &inspection.columns).unwrap();
    assert_eq!(mapping.assign_all(&[secret]), Err(MappingError::NoTitle));
}

#[test]
fn columns_are_mapped_by_hand() {
    let file = b"Name,Code,Memo,a=b\nx,1,\"2\n3\",4\n";
    let inspection = csv::inspect(&file[..]).unwrap();
    let by_hand: Vec<Assignment> = ["code = title", "name=Owner", "Memo=skip", "a=b=Ratio:number"]
        .iter()
        .map(|text| Assignment::parse(text, &inspection.columns).unwrap())
        .collect();
    let mut mapping = inspection.mapping;
    mapping.assign_all(&by_hand).unwrap();
    let row = csv::read(&file[..], mapping).unwrap().next().unwrap().unwrap();
    assert_eq!(row.content.title(), "1");
    assert_eq!(value(&row.content, "Owner"), Some("x"));
    assert_eq!(value(&row.content, "Memo"), None);
    assert_eq!(row.content.fields().last().unwrap().field_type, FieldType::Number);
}

#[test]
fn a_mapping_by_hand_that_cannot_be_meant_is_refused() {
    let columns = ["Name".to_owned(), "PIN".to_owned()];
    for (text, error) in [
        ("Name", AssignmentError::Form),
        ("Nom=title", AssignmentError::UnknownColumn),
        ("PIN=Code:secert", AssignmentError::UnknownFieldType),
        ("PIN=", AssignmentError::FieldName),
        ("PIN=:secret", AssignmentError::FieldName),
    ] {
        assert_eq!(Assignment::parse(text, &columns), Err(error), "{text}");
    }
    let pin = Assignment::parse("pin=Code", &columns).unwrap();
    assert_eq!(pin.target, Target::Field { name: "Code".to_owned(), field_type: FieldType::Secret });

    let mapping = csv::inspect(&b"Name,PIN,x\n1,2,3\n"[..]).unwrap().mapping;
    let twice = |texts: [&str; 2]| {
        let columns = ["Name".to_owned(), "PIN".to_owned(), "x".to_owned()];
        let all = texts.map(|text| Assignment::parse(text, &columns).unwrap());
        mapping.clone().assign_all(&all)
    };
    assert_eq!(twice(["PIN=notes", "x=notes"]), Err(MappingError::RepeatedTarget { column: 3 }));
    assert_eq!(twice(["PIN=skip", "PIN=notes"]), Err(MappingError::RepeatedTarget { column: 2 }));
    assert_eq!(twice(["PIN=a:text", "x=a:text"]), Err(MappingError::RepeatedFieldName { column: 3 }));
    assert_eq!(twice(["PIN=tags", "x=tags"]), Ok(()));
    let nowhere = Assignment { column: 3, target: Target::Skip };
    assert_eq!(mapping.clone().assign_all(&[nowhere]), Err(MappingError::UnknownColumn { column: 4 }));
}

#[test]
fn a_mapping_for_other_columns_is_refused() {
    let mapping = csv::inspect(&b"Title,a\nx,y\n"[..]).unwrap().mapping;
    assert!(matches!(csv::read(&b"Title,b\nx,y\n"[..], mapping), Err(CsvError::OtherColumns)));
}

#[test]
fn rows_no_record_can_hold_name_their_column() {
    let file = b"Title,Tags\n,x\n";
    assert_eq!(first_error(file).problem, RowProblem::NoTitle);
    let long = format!("Title,Notes\n{},x\n", "t".repeat(501));
    let error = first_error(long.as_bytes());
    assert_eq!((error.column.as_deref(), error.problem), (Some("Title"), RowProblem::Record(InvalidRecord::Title)));
}

#[test]
fn the_preview_shows_cells_as_they_stand_and_errors_in_their_place() {
    let mut file = b"Title,PIN\na, canary \nb\n".to_vec();
    file.extend(b"c,2\n".repeat(30));
    let inspection = csv::inspect(&file[..]).unwrap();
    assert_eq!(inspection.preview.len(), csv::PREVIEW_ROWS);
    assert_eq!(inspection.preview[0].as_ref().unwrap().cells[1].expose(), " canary ");
    assert_eq!(inspection.preview[1].as_ref().unwrap_err().line, 3);
    assert!(!format!("{inspection:?}").contains("canary"), "Debug shows no value");
}

/// A file's header and one row as each program writes it: what the row becomes.
#[test]
#[allow(clippy::type_complexity, reason = "a table of cases")]
fn tables_of_known_programs_are_mapped_rightly() {
    use coffer_interchange::mapping::Program;
    let cases: [(&str, Program, &str, &[(&str, FieldType)]); 4] = [
        (
            "name,url,username,password,note\nMail,https://m.example/,ines,pw,\"a\nb\"\n",
            Program::Chrome,
            "Mail",
            &[("url", FieldType::Url), ("username", FieldType::Text), ("password", FieldType::Secret)],
        ),
        (
            "\"url\",\"username\",\"password\",\"httpRealm\",\"formActionOrigin\",\"guid\",\"timeCreated\",\"timeLastUsed\",\"timePasswordChanged\"\n\
             \"https://m.example\",\"ines\",\"pw\",,\"https://m.example\",\"{1}\",\"1\",\"2\",\"3\"\n",
            Program::Firefox,
            "https://m.example",
            &[
                ("url", FieldType::Url),
                ("username", FieldType::Text),
                ("password", FieldType::Secret),
                ("formActionOrigin", FieldType::Text),
            ],
        ),
        (
            "folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,login_password,login_totp\n\
             Work,1,login,Mail,n,PIN: 1234,0,https://m.example,ines,pw,JBSWY3DPEHPK3PXP\n",
            Program::Bitwarden,
            "Mail",
            &[
                ("fields", FieldType::Secret),
                ("login_uri", FieldType::Url),
                ("login_username", FieldType::Text),
                ("login_password", FieldType::Secret),
                ("login_totp", FieldType::Totp),
            ],
        ),
        (
            "Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\n\
             Mail,https://m.example,ines,pw,otpauth://totp/x?secret=A,false,false,work,n\n",
            Program::OnePassword,
            "Mail",
            &[
                ("Url", FieldType::Url),
                ("Username", FieldType::Text),
                ("Password", FieldType::Secret),
                ("OTPAuth", FieldType::Secret),
                ("Archived", FieldType::Text),
            ],
        ),
    ];
    for (file, program, title, fields) in cases {
        let found = csv::inspect(file.as_bytes()).unwrap();
        assert_eq!(found.program, Some(program));
        let record = csv::read(file.as_bytes(), found.mapping).unwrap().next().unwrap().unwrap().content;
        let types: Vec<_> = record.fields().iter().map(|field| (field.name.as_str(), field.field_type)).collect();
        assert_eq!((record.title(), &types[..], record.kind().as_str()), (title, fields, "login"), "{program:?}");
    }
    let contacts = csv::inspect(&b"Name,E-mail\nInes,i@example.org\n"[..]).unwrap();
    assert_eq!(contacts.program, None);
}

#[test]
fn a_table_of_windows_is_read_as_what_it_says() {
    let file = b"Name;Ort\r\nM\xFCller;K\xF6ln \x80\r\n";
    let encoding = csv::detect_encoding(&file[..]).unwrap();
    assert_eq!(encoding, csv::TextEncoding::Windows1252);
    let decoded = || csv::Decoded::new(&file[..], encoding);
    let mapping = csv::inspect(decoded()).unwrap().mapping;
    let record = csv::read(decoded(), mapping).unwrap().next().unwrap().unwrap().content;
    assert_eq!((record.title(), record.fields()[0].value.expose()), ("Müller", "Köln €"));
}
