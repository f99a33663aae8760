using System.Globalization;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>How a process serves, as far as others want to know.</summary>
/// <param name="InheritsSocket">Whether the socket comes from systemd.</param>
/// <param name="LogsToFile">Whether the log goes to the file of the paths.</param>
/// <param name="Arguments">See <see cref="InstanceRecord.Arguments"/>.</param>
internal sealed record ServingManner(bool InheritsSocket, bool LogsToFile, IReadOnlyList<string> Arguments);

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
    /// <param name="manner">How it will serve.</param>
    /// <param name="cancellationToken">Ends the waiting for one that is just starting.</param>
    /// <exception cref="PelicanException"><see cref="Errors.ServerRunning"/>, among others.</exception>
    public async Task<Instance> TakeAsync(InstancePaths paths, ServingManner manner, CancellationToken cancellationToken)
    {
        try
        {
            return await TryTakeAsync(paths, manner, cancellationToken)
                ?? (paths.OfThisHost is { } own ? await TryTakeAsync(own, manner, cancellationToken) : null)
                ?? throw OnAnotherHost(Instance.Read(paths.Record));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, Path.GetDirectoryName(paths.Record)!, "write the files of the Client API server in");
        }
    }

    /// <summary>
    /// Makes a directory that only its owner may enter, but not the one that it is to be in. One that is there is left as
    /// it is, and refused where others could replace our files.
    /// </summary>
    /// <exception cref="PelicanException">Rows <c>Local…</c>.</exception>
    public static void Prepare(string directory)
    {
        const uint othersWrite = 2, sticky = 0x200;
        try
        {
            if (!Directory.Exists(directory))
            {
                if (Path.GetDirectoryName(directory) is { } parent && !Directory.Exists(parent))
                {
                    throw new PelicanException(Errors.LocalFileNotFound, $"cannot make the directory '{directory}': there is no '{parent}'",
                        "Make it, or put the files of the Client API server elsewhere: --socket, --pid-file, --database and --log-file.");
                }

                Directory.CreateDirectory(directory, OwnerOnly);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, directory, "make the directory");
        }

        // The dot: where it leads counts, not a link.
        if (SystemCalls.Status(directory + "/.") is not { } status)
        {
            return;
        }

        if ((status.Mode & (othersWrite | sticky)) == othersWrite)
        {
            throw new PelicanException(Errors.LocalDenied, $"anybody may replace files in '{directory}'",
                $"Put the socket and the files of the Client API server elsewhere, or take the right away: chmod o-w '{directory}'");
        }

        // Under sudo, HOME may be that of somebody who could not use the files afterwards.
        uint user = SystemCalls.GetEffectiveUserId();
        if (status.UserId != user && status.UserId != 0)
        {
            throw new PelicanException(Errors.LocalDenied,
                string.Create(CultureInfo.InvariantCulture, $"'{directory}' belongs to user {status.UserId}, who could replace files in it; this is user {user}"),
                "Put the socket and the files of the Client API server into a directory of your own: --socket, --pid-file, --database and --log-file.");
        }
    }

    // Null when another host has it.
    private async Task<Instance?> TryTakeAsync(InstancePaths paths, ServingManner manner, CancellationToken cancellationToken)
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
                if ((InstanceLock.TryTake(path) ?? await WaitForAsync(paths, path, cancellationToken)) is not { } taken)
                {
                    return null;
                }

                locks.Add(taken);
            }

            if (Instance.Read(paths.Record) is { } record)
            {
                if (record.Host != host.Name && IsFresh(paths))
                {
                    return null;
                }

                // Its lock file was removed, or it has only some of these files in common with us.
                if (record.Pid != Environment.ProcessId && host.Runs(record))
                {
                    throw Running(record);
                }
            }

            if (!manner.InheritsSocket)
            {
                RemoveStaleSocket(paths.Socket);
            }

            if (!RemoveStale(paths.Record))
            {
                return null;
            }

            Instance? instance = Instance.Open(paths, NewRecord(paths, manner), [.. locks]);
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
    // just taken it has to write the record, and to listen, before we say that it runs; one that was killed holds the lock, and what
    // connects to its socket, until it is dead. So it has to answer. The lock, should it become free; null when another host has it.
    private async Task<InstanceLock?> WaitForAsync(InstancePaths paths, string held, CancellationToken cancellationToken)
    {
        long start = clock.GetTimestamp();
        while (true)
        {
            if (InstanceLock.TryTake(held) is { } taken)
            {
                return taken;
            }

            // Beside the lock, where that is of a file which another instance has in common with us.
            InstanceRecord? record = Instance.Read(paths.Record) ?? Instance.Read(Path.ChangeExtension(held, ".json"));
            if (record is not null && record.Host != host.Name && IsFresh(paths))
            {
                return null;
            }

            bool late = clock.GetElapsedTime(start) > Patience;
            if (record is not null && (InstanceSocket.Speaks(record.Socket) || (late && host.Runs(record))))
            {
                throw Running(record);
            }

            if (late)
            {
                throw new PelicanException(Errors.ServerRunning, "another Client API server is starting, or has one of these files",
                    $"Its lock is held: {held}. A server beside it needs a --socket, a --pid-file and a --database of its own.");
            }

            await Task.Delay(Interval, clock, cancellationToken);
        }
    }

    // By a name of our own first: another host may have replaced it since we have read it, and then it is not ours to remove.
    private static bool RemoveStale(string path)
    {
        string? stale = Instance.Read(path)?.Id;
        string aside = $"{path}.{Guid.NewGuid():N}";
        try
        {
            File.Move(path, aside, overwrite: false);
        }
        catch (FileNotFoundException)
        {
            return true;
        }

        if (Instance.Read(aside)?.Id == stale)
        {
            File.Delete(aside);
            return true;
        }

        try
        {
            File.Move(aside, path, overwrite: false);
        }
        catch (IOException)
        {
            // Whoever wrote it has missed it, and written it again.
            File.Delete(aside);
        }

        return false;
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
            throw new PelicanException(Errors.ServerRunning, $"another server, or systemd, has the socket '{path}'",
                "Name another one with --socket, or stop what has it, such as: systemctl --user stop pelican-client-api.socket");
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

    private InstanceRecord NewRecord(InstancePaths paths, ServingManner manner) => new()
    {
        Id = Guid.NewGuid().ToString("N"),
        Host = host.Name,
        BootId = host.BootId,
        Pid = Environment.ProcessId,
        StartTicks = BootMark.StartTicks(Environment.ProcessId),
        StartedAt = clock.GetUtcNow(),
        Version = Version,
        Socket = paths.Socket,
        PidFile = paths.PidFile,
        Database = paths.Database,
        LogFile = manner.LogsToFile ? paths.LogFile : null,
        Arguments = manner.Arguments,
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
