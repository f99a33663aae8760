using System.Text;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>What the user chose of an instance's files, absolute; null for the usual place.</summary>
internal sealed record InstanceChoice
{
    /// <summary><c>--socket</c>, <c>PELICAN_CLIENT_API_SOCKET</c>, <c>ClientApi.Socket</c>.</summary>
    public string? Socket { get; init; }

    /// <summary><c>--pid-file</c>, <c>ClientApi.PidFile</c>.</summary>
    public string? PidFile { get; init; }

    /// <summary><c>--database</c>, <c>ClientApi.DbLocation</c>.</summary>
    public string? Database { get; init; }

    /// <summary><c>--log-file</c>, <c>--log</c>, <c>Logging.LogLocation</c>.</summary>
    public string? LogFile { get; init; }
}

/// <summary>The files of one instance of the Client API server, absolute.</summary>
internal sealed record InstancePaths
{
    /// <summary>Bytes in the path of a socket, by the size of <c>sun_path</c>.</summary>
    public const int LongestSocket = 107;

    private const string Name = "client-api";

    public required string Socket { get; init; }

    /// <summary>Holds the number and nothing else.</summary>
    public required string PidFile { get; init; }

    public required string Database { get; init; }

    public required string LogFile { get; init; }

    /// <summary>Names to take where another host of the same home has these; null where the user chose some himself, or the socket's would be too long.</summary>
    public InstancePaths? OfThisHost { get; init; }

    /// <summary>Where it is written who serves (<see cref="Json.InstanceRecord"/>).</summary>
    public string Record => Path.ChangeExtension(PidFile, ".json");

    /// <summary>
    /// Files whose locks make one daemon of each socket, PID file and database; usually these are one. Their names
    /// come from what they protect, and they are never removed: a lock on a removed file protects nothing.
    /// </summary>
    public IReadOnlyList<string> Locks =>
        [.. new[] { Socket, PidFile, Database }.Select(path => Path.ChangeExtension(path, ".lock")).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Where a server would be, or is to be, on this host: as chosen; else the host's own files, if there are any; else the plain ones.</summary>
    /// <param name="choice">What the user chose.</param>
    /// <param name="home">His home directory; null where there is none.</param>
    /// <param name="host">This host.</param>
    /// <exception cref="PelicanException">There is no home to put files in; the socket's path is too long.</exception>
    public static InstancePaths Resolve(InstanceChoice choice, string? home, HostIdentity host)
    {
        InstancePaths paths = choice is { Socket: { } socket, PidFile: { } pidFile, Database: { } database, LogFile: { } logFile }
            ? new InstancePaths { Socket = socket, PidFile = pidFile, Database = database, LogFile = logFile }
            : Usual(choice, home, host);
        paths.Check();
        return paths;
    }

    private static InstancePaths Usual(InstanceChoice choice, string? home, HostIdentity host)
    {
        if (home is not ['/', ..] or Account.NoHome)
        {
            throw new PelicanException(Errors.Configuration, "there is no home directory for the files of the Client API server",
                "Set HOME, or name them: --socket, --pid-file, --database and --log-file.");
        }

        string directory = Path.Combine(home, ".pelican");
        InstancePaths plain = In(directory, Name, choice);
        if (choice is not { Socket: null, PidFile: null, Database: null })
        {
            return plain;
        }

        // Jobs that this host acknowledged in files of its own are waiting there.
        InstancePaths own = In(directory, $"{Name}.{host.FileName}", choice);
        return File.Exists(own.Database) || File.Exists(own.Record) ? own
            : Encoding.UTF8.GetByteCount(own.Socket) <= LongestSocket ? plain with { OfThisHost = own }
            : plain;
    }

    private static InstancePaths In(string directory, string name, InstanceChoice choice) => new()
    {
        Socket = choice.Socket ?? Path.Combine(directory, name + ".sock"),
        PidFile = choice.PidFile ?? Path.Combine(directory, name + ".pid"),
        Database = choice.Database ?? Path.Combine(directory, name + ".db"),
        LogFile = choice.LogFile ?? Path.Combine(directory, name + ".log"),
    };

    private void Check()
    {
        int bytes = Encoding.UTF8.GetByteCount(Socket);
        if (bytes > LongestSocket)
        {
            throw new PelicanException(Errors.Parameter, $"the path of the socket has {bytes} bytes, and {LongestSocket} is the most: '{Socket}'",
                "Name a shorter one with --socket or PELICAN_CLIENT_API_SOCKET, such as /tmp/pelican-<your name>/api.sock.");
        }

        string[] files = [Socket, PidFile, Database, LogFile, Record];
        if (files.Concat(Locks).Distinct().Count() < files.Length + Locks.Count)
        {
            throw new PelicanException(Errors.Parameter,
                $"socket, PID file, database, log, record and lock of the Client API server would be the same file: {string.Join(", ", files.Concat(Locks))}",
                "Give them names that differ in more than .lock and .json.");
        }
    }
}
