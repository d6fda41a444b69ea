//! The files of an SQLite history: restricts their permissions and removes deleted data from them.

use super::HistoryError;
use super::database::Database;
use super::pool::{Pools, from_pool_error};
use super::statement::{run_uncancellable, with_connect_timeout};
use diesel::QueryableByName;
use diesel::sql_types::Integer;
use diesel_async::RunQueryDsl;
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Read and write for the owner only.
const OWNER_ONLY: u32 = 0o600;
/// The permission bits of users who are neither the owner nor in the group.
const OTHERS_MASK: u32 = 0o007;

/// Creates the file for its owner only; SQLite gives the same permissions to the files beside it.
/// From existing files it removes only the access of others: that of a group may be intended.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(OWNER_ONLY)
        .open(path);
    match made {
        Ok(_file) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            database_files(path)
                .iter()
                .for_each(|file| deny_others(file));
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The database file and the two that SQLite keeps beside it.
fn database_files(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    })
}

fn deny_others(file: &Path) {
    let Ok(found) = fs::metadata(file) else {
        return;
    };
    let mode = found.permissions().mode();
    if !found.is_file() || mode & OTHERS_MASK == 0 {
        return;
    }
    // Fails for a file of another user, which stays as it is.
    if let Err(error) = fs::set_permissions(file, Permissions::from_mode(mode & !OTHERS_MASK)) {
        tracing::warn!(
            file = %file.display(),
            %error,
            "the history file is accessible to all users of this machine, and its permissions cannot be changed"
        );
    }
}

/// A row of the answer to `wal_checkpoint`.
#[derive(QueryableByName)]
struct CheckpointRow {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

impl Database {
    /// Copies SQLite's write-ahead log into the database file and truncates it. `secure_delete`
    /// overwrites deleted rows in the file, but the log may still hold older copies of them.
    ///
    /// Returns `false` if a reader prevents it.
    pub(super) async fn truncate_wal(&self) -> Result<bool, HistoryError> {
        let pools = self.ready().await?;
        run_uncancellable(async move {
            let Pools::Sqlite(pool) = &*pools else {
                return Ok(true);
            };
            let pool = pool.clone();
            let connect =
                run_uncancellable(async move { pool.get().await.map_err(from_pool_error) });
            let mut connection = with_connect_timeout(connect).await?;
            let rows: Vec<CheckpointRow> = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)")
                .load(&mut connection)
                .await
                .map_err(HistoryError::Query)?;
            Ok(rows.iter().all(|row| row.busy == 0))
        })
        .await
    }
}
