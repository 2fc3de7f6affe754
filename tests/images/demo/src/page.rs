//! The page that a browser sees.

/// The notes of both places as HTML; `None`: there is no database.
pub(crate) fn page(on_volume: &[String], in_database: Option<&[String]>) -> String {
    let database = match in_database {
        Some(notes) => list(notes),
        None => "<p>DATABASE_URL is not set.</p>\n".to_owned(),
    };
    format!(
        "<!doctype html>\n<title>Kompox demo</title>\n<h1>Kompox demo</h1>\n<h2>Notes on the volume</h2>\n{}<h2>Notes in PostgreSQL</h2>\n{database}",
        list(on_volume)
    )
}

fn list(notes: &[String]) -> String {
    let items: String = notes.iter().map(|note| format!("<li>{}</li>\n", escaped(note))).collect();
    format!("<ul>\n{items}</ul>\n")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn notes_cannot_break_the_page() {
        let html = page(&["<b>&".to_owned()], None);
        assert!(html.contains("<li>&lt;b&gt;&amp;</li>"), "{html}");
        assert!(html.contains("DATABASE_URL is not set"), "{html}");
    }
}
