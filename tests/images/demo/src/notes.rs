//! Notes in PostgreSQL. A connection for each request: the database may be restarted at any time, and a test
//! wants to see that, not a pool's idea of it.

use anyhow::Context as _;
use tokio_postgres::{Client, NoTls};

/// The only table.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS notes (id bigserial PRIMARY KEY, text text NOT NULL)";

/// Adds a note.
///
/// # Errors
/// When the database cannot be reached or refuses.
pub(crate) async fn add(url: &str, text: &str) -> anyhow::Result<()> {
    let client = connect(url).await?;
    client.batch_execute(TABLE).await.context("failed to make the table of the notes")?;
    client.execute("INSERT INTO notes (text) VALUES ($1)", &[&text]).await.context("failed to add a note")?;
    Ok(())
}

/// All notes in the order of their making.
///
/// # Errors
/// When the database cannot be reached or refuses.
pub(crate) async fn list(url: &str) -> anyhow::Result<Vec<String>> {
    let client = connect(url).await?;
    client.batch_execute(TABLE).await.context("failed to make the table of the notes")?;
    let rows =
        client.query("SELECT text FROM notes ORDER BY id", &[]).await.context("failed to read the notes")?;
    rows.iter().map(|row| row.try_get(0).context("a note is no text")).collect()
}

async fn connect(url: &str) -> anyhow::Result<Client> {
    let mut config: tokio_postgres::Config =
        url.parse().context("DATABASE_URL is no address of a database")?;
    config.connect_timeout(std::time::Duration::from_secs(5));
    let (client, connection) = config.connect(NoTls).await.context("failed to reach the database")?;
    // Ends when the client is dropped; its errors reach the client's calls.
    tokio::spawn(connection);
    Ok(client)
}
