using System.Globalization;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>How a process comes to have an instance of the Client API server, or learns who has it.</summary>
/// <param name="host">This host.</param>
/// <param name="clock">Time to wait by.</param>
internal sealed class InstanceClaim(HostIdentity host, TimeProvider clock)
{
    /// <summary>How often an instance is renewed.</summary>
    public static readonly TimeSpan RenewalInterval = TimeSpan.FromSeconds(30);

    /// <summary>Version of this program.</summary>
    public static string Version => typeof(InstanceClaim).Assembly.GetName().Version?.ToString(3) ?? "";

    /// <summary>Silence after which another host's instance is dead: four renewals, since NFS may show a time that is a minute old.</summary>
    private const long DeadAfterSeconds = 120;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    /// <summary>Takes the instance, and cleans up what a dead one has left of it.</summary>
    /// <param name="paths">Its files. Where a live daemon of another host has them, those of this host are taken.</param>
    /// <param name="inherited">Whether the socket comes from systemd.</param>
    /// <param name="logsToFile">Whether the log goes to the file of the paths.</param>
    /// <param name="cancellationToken">Ends the waiting for one that is just starting.</param>
    /// <exception cref="PelicanException"><see cref="Errors.ServerRunning"/>, among others.</exception>
    public async Task<Instance> TakeAsync(InstancePaths paths, bool inherited, bool logsToFile, CancellationToken cancellationToken)
    {
        try
        {
            return await TryTakeAsync(paths, inherited, logsToFile, cancellationToken)
                ?? (paths.OfThisHost is { } own ? await TryTakeAsync(own, inherited, logsToFile, cancellationToken) : null)
                ?? throw OnAnotherHost(Instance.Read(paths.Record));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, Path.GetDirectoryName(paths.Record)!, "write the files of the Client API server in");
        }
    }

    /// <summary>Makes a directory that only its owner may enter. One that is there is left as it is, and refused where anybody could replace our files.</summary>
    /// <exception cref="PelicanException">Rows <c>Local…</c>.</exception>
    public static void Prepare(string directory)
    {
        const uint othersWrite = 2, sticky = 0x200;
        try
        {
            if (!Directory.Exists(directory))
            {
                Directory.CreateDirectory(directory, OwnerOnly);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, directory, "make the directory");
        }

        // The dot: where it leads counts, not a link.
        if (SystemCalls.Status(directory + "/.") is { } status && (status.Mode & (othersWrite | sticky)) == othersWrite)
        {
            throw new PelicanException(Errors.LocalDenied, $"anybody may replace files in '{directory}'",
                $"Put the socket and the files of the Client API server elsewhere, or take the right away: chmod o-w '{directory}'");
        }
    }

    // Null when another host has it.
    private async Task<Instance?> TryTakeAsync(InstancePaths paths, bool inherited, bool logsToFile, CancellationToken cancellationToken)
    {
        foreach (string directory in paths.Locks.Append(paths.Record).Select(path => Path.GetDirectoryName(path)!).Distinct())
        {
            Prepare(directory);
        }

        List<InstanceLock> locks = [];
        try
        {
            foreach (string path in paths.Locks)
            {
                if (InstanceLock.TryTake(path) is not { } taken)
                {
                    await RefuseAsync(paths, cancellationToken);
                    return null;
                }

                locks.Add(taken);
            }

            if (Instance.Read(paths.Record) is { } record && record.Host != host.Name && IsFresh(paths))
            {
                return null;
            }

            if (!inherited)
            {
                RemoveStaleSocket(paths.Socket);
            }

            File.Delete(paths.Record);
            Instance? instance = Instance.Open(paths, NewRecord(paths, logsToFile), [.. locks]);
            if (instance is not null)
            {
                locks.Clear();
            }

            return instance;
        }
        finally
        {
            locks.ForEach(held => held.Dispose());
        }
    }

    // Another process has the lock: it is on this host, unless the lock reaches others and the record says so. One that has
    // just taken it has to write the record, and to listen, before we say that it runs.
    private async Task RefuseAsync(InstancePaths paths, CancellationToken cancellationToken)
    {
        long start = clock.GetTimestamp();
        while (true)
        {
            InstanceRecord? record = Instance.Read(paths.Record);
            if (record is not null && record.Host != host.Name && IsFresh(paths))
            {
                return;
            }

            bool late = clock.GetElapsedTime(start) > Patience;
            if (record is not null && host.Runs(record) && (late || InstanceSocket.Answers(record.Socket)))
            {
                throw Running(record);
            }

            if (late)
            {
                throw new PelicanException(Errors.ServerRunning, "Client API server is already starting", $"Its lock is held: {paths.Locks[0]}");
            }

            await Task.Delay(Interval, clock, cancellationToken);
        }
    }

    private static void RemoveStaleSocket(string path)
    {
        if (SystemCalls.Status(path) is not { } status)
        {
            return;
        }

        if (!status.IsSocket)
        {
            throw new PelicanException(Errors.Parameter, $"'{path}' is there, and is not a socket",
                "Remove it, or name another socket with --socket.");
        }

        if (InstanceSocket.Answers(path))
        {
            throw new PelicanException(Errors.ServerRunning, $"another server answers on '{path}'", "Name another socket with --socket.");
        }

        File.Delete(path);
    }

    // Both times by the clock of the filesystem: those of the hosts may differ.
    private static bool IsFresh(InstancePaths paths)
    {
        string ours = paths.Locks[0];
        _ = SystemCalls.Touch(ours);
        return SystemCalls.Status(ours) is { } now && SystemCalls.Status(paths.Record) is { } then
            && Math.Abs(now.Modified - then.Modified) < DeadAfterSeconds;
    }

    private InstanceRecord NewRecord(InstancePaths paths, bool logsToFile) => new()
    {
        Id = Guid.NewGuid().ToString("N"),
        Host = host.Name,
        BootId = host.BootId,
        Pid = Environment.ProcessId,
        StartTicks = HostIdentity.StartTicks(Environment.ProcessId),
        StartedAt = clock.GetUtcNow(),
        Version = Version,
        Socket = paths.Socket,
        PidFile = paths.PidFile,
        Database = paths.Database,
        LogFile = logsToFile ? paths.LogFile : null,
    };

    private static PelicanException Running(InstanceRecord record) => new(
        Errors.ServerRunning, string.Create(CultureInfo.InvariantCulture, $"Client API server is already running (PID: {record.Pid})"),
        $"Socket: {record.Socket}");

    private static PelicanException OnAnotherHost(InstanceRecord? record) => new(
        Errors.ServerRunning,
        record is null ? "another host has just started a Client API server with these files"
            : string.Create(CultureInfo.InvariantCulture, $"a Client API server with these files is running on {record.Host} (PID: {record.Pid})"),
        "Use it there, or give other files: --socket, --pid-file and --database.");
}
