using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>
/// Versions of the database. A version that was released never changes: the next one adds a script that leads from the last.
/// The version is <c>user_version</c>; <c>application_id</c> says that the file is ours.
/// </summary>
internal static class JobStoreSchema
{
    /// <summary>"Plcn".</summary>
    private const long ApplicationId = 0x506C636E;

    /// <summary>
    /// Times are microseconds since 1970. <c>sequence</c> counts the changes of state of a job; each row remembers the numbers
    /// of its own changes, which makes the rows the log of events. <c>seq</c> is the order of submission.
    /// </summary>
    private const string Version1 = """
        CREATE TABLE jobs(
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            status TEXT NOT NULL CHECK(status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
            created_at INTEGER NOT NULL,
            started_at INTEGER,
            completed_at INTEGER,
            options TEXT,
            error TEXT,
            sequence INTEGER NOT NULL DEFAULT 1,
            started_sequence INTEGER,
            completed_sequence INTEGER,
            transfers_total INTEGER NOT NULL,
            transfers_completed INTEGER NOT NULL DEFAULT 0,
            transfers_failed INTEGER NOT NULL DEFAULT 0,
            bytes INTEGER NOT NULL DEFAULT 0,
            total_bytes INTEGER NOT NULL DEFAULT 0,
            idempotency_key TEXT,
            request_digest BLOB);
        CREATE INDEX jobs_by_time ON jobs(created_at, id);
        CREATE INDEX jobs_by_status ON jobs(status, created_at, id);
        CREATE INDEX jobs_unfinished ON jobs(status, seq) WHERE status IN ('pending', 'running');
        CREATE INDEX jobs_by_end ON jobs(completed_at, id) WHERE completed_at IS NOT NULL;
        CREATE INDEX jobs_by_status_and_end ON jobs(status, completed_at, id) WHERE completed_at IS NOT NULL;
        CREATE UNIQUE INDEX jobs_by_key ON jobs(idempotency_key) WHERE idempotency_key IS NOT NULL;

        CREATE TABLE transfers(
            job INTEGER NOT NULL REFERENCES jobs(seq) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            id TEXT NOT NULL,
            operation TEXT NOT NULL,
            source TEXT NOT NULL,
            destination TEXT,
            recursive INTEGER NOT NULL,
            status TEXT NOT NULL CHECK(status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
            started_at INTEGER,
            completed_at INTEGER,
            started_sequence INTEGER,
            completed_sequence INTEGER,
            bytes INTEGER NOT NULL DEFAULT 0,
            total_bytes INTEGER NOT NULL DEFAULT 0,
            claimed INTEGER NOT NULL DEFAULT 0,
            error TEXT,
            attempts TEXT,
            PRIMARY KEY(job, position)) WITHOUT ROWID;

        CREATE TABLE objects(
            job INTEGER NOT NULL REFERENCES jobs(seq) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            path TEXT NOT NULL,
            done INTEGER NOT NULL,
            size INTEGER NOT NULL,
            modified INTEGER,
            PRIMARY KEY(job, position, path)) WITHOUT ROWID;

        CREATE TABLE job_counts(status TEXT PRIMARY KEY, jobs INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO job_counts VALUES ('pending', 0), ('running', 0), ('completed', 0), ('failed', 0), ('cancelled', 0);
        CREATE TRIGGER job_added AFTER INSERT ON jobs BEGIN
            UPDATE job_counts SET jobs = jobs + 1 WHERE status = NEW.status;
        END;
        CREATE TRIGGER job_removed AFTER DELETE ON jobs BEGIN
            UPDATE job_counts SET jobs = jobs - 1 WHERE status = OLD.status;
        END;
        CREATE TRIGGER job_moved AFTER UPDATE OF status ON jobs WHEN OLD.status <> NEW.status BEGIN
            UPDATE job_counts SET jobs = jobs - 1 WHERE status = OLD.status;
            UPDATE job_counts SET jobs = jobs + 1 WHERE status = NEW.status;
        END;
        """;

    /// <summary>Lists are in the order of submission, which <c>seq</c> at the end of every index keeps even when the clock was set back.</summary>
    private const string Version2 = """
        DROP INDEX jobs_by_time;
        DROP INDEX jobs_by_status;
        CREATE INDEX jobs_by_time ON jobs(created_at);
        CREATE INDEX jobs_by_status ON jobs(status);
        """;

    /// <summary>The scripts, one for each version, the first for version 1.</summary>
    public static IReadOnlyList<string> Versions { get; } = [Version1, Version2];

    /// <summary>Refuses a database that this program must not touch. Reads only.</summary>
    /// <exception cref="PelicanException">It is of a later version, or of another program.</exception>
    public static void Check(JobStoreFile file)
    {
        long version = file.Number("PRAGMA user_version") ?? 0;
        long application = file.Number("PRAGMA application_id") ?? 0;
        bool empty = file.Number("SELECT count(*) FROM sqlite_schema") == 0 && version == 0 && application == 0;
        if (!empty && application != ApplicationId)
        {
            throw new PelicanException(Errors.Local, $"'{file.Path}' is a database of another program",
                "Name another file for the job database.");
        }

        if (version > Versions.Count)
        {
            throw new PelicanException(Errors.Local,
                FormattableString.Invariant($"the job database '{file.Path}' has version {version}; this program knows versions up to {Versions.Count}"),
                "It was written by a later pelican: use that one, or name another file. Nothing was changed.");
        }
    }

    /// <summary>Brings the database to the last version, in one transaction.</summary>
    /// <param name="file">An open database.</param>
    /// <param name="versions">The scripts.</param>
    public static void Upgrade(JobStoreFile file, IReadOnlyList<string> versions)
    {
        file.Execute("BEGIN EXCLUSIVE");
        for (int version = (int)(file.Number("PRAGMA user_version") ?? 0); version < versions.Count; version++)
        {
            file.Execute(versions[version]);
        }

        file.Execute(FormattableString.Invariant($"PRAGMA application_id={ApplicationId}"));
        file.Execute(FormattableString.Invariant($"PRAGMA user_version={versions.Count}"));
        file.Execute("COMMIT");
    }
}
