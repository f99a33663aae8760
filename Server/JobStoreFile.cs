using Microsoft.Data.Sqlite;
using Pelican.Transfer;
using SQLitePCL;

namespace Pelican.Server;

/// <summary>
/// The database file: one connection that holds it for life, so that no second daemon can run the same jobs. Commits are
/// on the disk when they return (<c>synchronous=FULL</c>): an acknowledged job must survive a power failure, and group commit
/// pays for that once for many. Used by one thread at a time.
/// </summary>
internal sealed class JobStoreFile : IDisposable
{
    /// <summary>Larger databases are not read through at every start.</summary>
    private const long CheckedBytes = 16 * 1024 * 1024;

    private const int BusySeconds = 2;

    /// <summary>Statements kept ready; those of lists come in many forms.</summary>
    private const int MostCommands = 100;

    private readonly SqliteConnection _connection;
    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);

    private JobStoreFile(string path)
    {
        Path = path;
        _connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = SqliteOpenMode.ReadWrite,
            Pooling = false,
            DefaultTimeout = BusySeconds,
        }.ToString());
    }

    /// <summary>Path of the database.</summary>
    public string Path { get; }

    /// <summary>Opens the database, or makes it, and brings it to the schema of this program.</summary>
    /// <param name="path">Absolute path.</param>
    /// <param name="typeOf">Tells the type of the file system that a path lies on, as <see cref="LocalMedium.TypeOf(string)"/>.</param>
    /// <exception cref="PelicanException">It is in use, damaged, newer than this program, or not ours; it is then left as it was.</exception>
    public static JobStoreFile Open(string path, Func<string, uint?> typeOf)
    {
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        JobStoreFile file = new(path);
        try
        {
            // A log without the file that it belongs to: SQLite would remove it, and jobs with it, and start empty.
            if (Length(path) == 0 && Length(path + "-wal") > 0)
            {
                throw file.Damaged(null);
            }

            Make(path);
            file._connection.Open();
            file.Prepare(LocalMedium.IsRemote(typeOf(path)));
            return file;
        }
        catch (SqliteException e)
        {
            file.Dispose();
            throw file.Explain(e);
        }
        catch (PelicanException)
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Runs a statement.</summary>
    /// <param name="sql">With parameters <c>$1</c>, <c>$2</c>, …</param>
    /// <param name="arguments">Their values: null, text, <c>long</c>, <c>int</c>, <c>bool</c> or bytes.</param>
    /// <returns>Rows changed.</returns>
    public int Execute(string sql, params ReadOnlySpan<object?> arguments) => Command(sql, arguments).ExecuteNonQuery();

    /// <summary>Runs a query.</summary>
    public List<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> arguments)
    {
        using SqliteDataReader reader = Command(sql, arguments).ExecuteReader();
        List<T> rows = [];
        while (reader.Read())
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    /// <summary>The number that a query returns; null when it returns no row.</summary>
    public long? Number(string sql, params ReadOnlySpan<object?> arguments) =>
        Command(sql, arguments).ExecuteScalar() is long number ? number : null;

    /// <summary>Undoes a transaction, unless the fault that made it necessary has done so.</summary>
    public void RollBack()
    {
        if (raw.sqlite3_get_autocommit(_connection.Handle) == 0)
        {
            // Where the disk fails, this can fail too; nothing is committed then, and the next transaction tells.
            _ = raw.sqlite3_exec(_connection.Handle, "ROLLBACK");
        }
    }

    /// <summary>Says what is wrong with the database.</summary>
    public PelicanException Explain(SqliteException fault)
    {
        string name = $"the job database '{Path}'";
        return fault.SqliteErrorCode switch
        {
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new PelicanException(Errors.Local, $"{name} is in use by another process",
                "Stop the other server, or give this one a database of its own.", fault),
            raw.SQLITE_FULL => Trouble("cannot grow: no space is left on the device", "Free some space, and try again."),
            raw.SQLITE_READONLY or raw.SQLITE_PERM => Trouble("may not be written to", "Check its permissions and those of its directory."),
            raw.SQLITE_CANTOPEN => Trouble("cannot be opened", "Check its permissions and those of its directory."),
            raw.SQLITE_IOERR => Trouble($"cannot be read or written ({fault.SqliteExtendedErrorCode})", "Check the disk or file server that holds it."),
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => Damaged(fault),
            _ => new PelicanException(Errors.Internal, $"{name} failed: {fault.Message}", inner: fault),
        };

        PelicanException Trouble(string what, string nextStep) =>
            new(Errors.Internal, $"{name} {what}", nextStep, fault) { Retryable = true };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Forget();
        _connection.Dispose();
    }

    // Nobody but the owner may read what is being transferred. SQLite gives its journals the mode of the database.
    private static void Make(string path)
    {
        try
        {
            using FileStream made = new(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.ReadWrite | FileShare.Delete,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, path, "open");
        }
    }

    private static long Length(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    private void Prepare(bool isRemote)
    {
        Number("PRAGMA locking_mode=EXCLUSIVE");
        // Before anything is written: a file of another program, or of a later version of this one, stays as it is.
        JobStoreSchema.Check(this);
        // The shared memory of a WAL does not reach over a network; nor do its ordering guarantees.
        string journal = isRemote ? "TRUNCATE" : "WAL";
        Execute($"PRAGMA journal_mode={journal}");
        Execute("PRAGMA synchronous=FULL");
        Execute("PRAGMA foreign_keys=ON");
        if (new FileInfo(Path).Length <= CheckedBytes
            && Query("PRAGMA quick_check(1)", row => row.GetString(0)) is [var verdict] && verdict != "ok")
        {
            throw Damaged(null);
        }

        // This write also takes the lock that is kept from now on.
        JobStoreSchema.Upgrade(this, JobStoreSchema.Versions);
    }

    private PelicanException Damaged(Exception? cause) => new(Errors.Local, $"the job database '{Path}' is damaged, or is none",
        "Nothing was changed. Keep it if its jobs matter ('sqlite3 FILE .recover' may read it), move it away, and start again.", cause);

    private SqliteCommand Command(string sql, ReadOnlySpan<object?> arguments)
    {
        if (!_commands.TryGetValue(sql, out SqliteCommand? command))
        {
            if (_commands.Count == MostCommands)
            {
                Forget();
            }

            command = _connection.CreateCommand();
            command.CommandText = sql;
            for (int i = 1; i <= arguments.Length; i++)
            {
                command.Parameters.Add(new SqliteParameter { ParameterName = FormattableString.Invariant($"${i}") });
            }

            _commands[sql] = command;
        }

        for (int i = 0; i < arguments.Length; i++)
        {
            command.Parameters[i].Value = arguments[i] ?? DBNull.Value;
        }

        return command;
    }

    private void Forget()
    {
        foreach (SqliteCommand command in _commands.Values)
        {
            command.Dispose();
        }

        _commands.Clear();
    }
}
