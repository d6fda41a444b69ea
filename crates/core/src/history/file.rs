//! The files of an SQLite history: only their owner reads them, and what was deleted is in none of them.

use super::HistoryError;
use super::database::Database;
use super::pool::{Pools, unreachable};
use super::statement::{in_time, to_its_end};
use diesel::QueryableByName;
use diesel::sql_types::Integer;
use diesel_async::RunQueryDsl;
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// What its owner may do with a file of the history, and nobody else.
const PRIVATE: u32 = 0o600;
/// What everybody may do with a file.
const OTHERS: u32 = 0o007;

/// Makes the file with the right permissions, which SQLite gives to its companions, too. Of files that
/// are there the rights of everybody are taken away: those of a group may be on purpose.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(PRIVATE)
        .open(path);
    match made {
        Ok(_file) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            files(path).iter().for_each(|file| close_to_others(file));
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The file and the two that SQLite keeps beside it.
fn files(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    })
}

fn close_to_others(file: &Path) {
    let Ok(found) = fs::metadata(file) else {
        return;
    };
    let mode = found.permissions().mode();
    if !found.is_file() || mode & OTHERS == 0 {
        return;
    }
    // A file of another user stays as that one has it.
    if let Err(error) = fs::set_permissions(file, Permissions::from_mode(mode & !OTHERS)) {
        tracing::warn!(
            file = %file.display(),
            %error,
            "everybody on this machine may read the history file, and its permissions cannot be changed"
        );
    }
}

/// What a checkpoint says of itself.
#[derive(QueryableByName)]
struct Checkpoint {
    #[diesel(sql_type = Integer)]
    busy: i32,
}

impl Database {
    /// Moves what the log beside an SQLite file holds into the file, and empties the log: deleted rows are
    /// overwritten in the file (`secure_delete`), but older copies of them stand in the log.
    pub(super) async fn empty_log(&self) -> Result<bool, HistoryError> {
        let pools = self.ready().await?;
        to_its_end(async move {
            let Pools::Sqlite(pool) = &*pools else {
                return Ok(true);
            };
            let pool = pool.clone();
            let connect = to_its_end(async move { pool.get().await.map_err(unreachable) });
            let mut connection = in_time(connect).await?;
            let rows: Vec<Checkpoint> = diesel::sql_query("PRAGMA wal_checkpoint(TRUNCATE)")
                .load(&mut connection)
                .await
                .map_err(HistoryError::Query)?;
            Ok(rows.iter().all(|row| row.busy == 0))
        })
        .await
    }
}
