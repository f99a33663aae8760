using System.Globalization;
using System.Text;
using System.Text.Json;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>
/// An instance of the Client API server while this process has it: its locks, its PID file, and the record that tells
/// the other hosts of the same home. Made by <see cref="InstanceClaim"/>.
/// </summary>
internal sealed class Instance : IDisposable
{
    private readonly IReadOnlyList<InstanceLock> _locks;

    private Instance(InstancePaths paths, InstanceRecord record, IReadOnlyList<InstanceLock> locks) =>
        (Paths, Record, _locks) = (paths, record, locks);

    /// <summary>Its files.</summary>
    public InstancePaths Paths { get; }

    /// <summary>What is told of it.</summary>
    public InstanceRecord Record { get; }

    /// <summary>Whether the locks still keep others out: on a file that was removed, or replaced, they do not.</summary>
    public bool IsLocked => _locks.All(held => held.IsThere);

    /// <summary>Writes PID file and record.</summary>
    /// <param name="paths">Its files.</param>
    /// <param name="record">What to tell.</param>
    /// <param name="locks">All locks of the paths; the instance's from now on, unless this fails.</param>
    /// <returns>Null when another host has written its record since it was looked for.</returns>
    public static Instance? Open(InstancePaths paths, InstanceRecord record, IReadOnlyList<InstanceLock> locks)
    {
        Instance instance = new(paths, record, locks);
        try
        {
            return instance.TryWrite() ? instance : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            instance.RemoveHalf();
            throw;
        }
    }

    /// <summary>What is told of an instance; null when nothing is, or it is being written just now.</summary>
    /// <param name="path">The file.</param>
    public static InstanceRecord? Read(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return JsonSerializer.Deserialize(file, PelicanJson.Default.InstanceRecord);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Shows that we are alive; to be called every 30 seconds.</summary>
    /// <returns>False when the instance is another host's now, which thought that this one was dead: then its files are not ours to touch.</returns>
    public bool Renew()
    {
        try
        {
            if (!File.Exists(Paths.Record))
            {
                return TryWrite();
            }

            if (Read(Paths.Record) is { } record && record.Id != Record.Id)
            {
                return false;
            }

            foreach (string path in (string[])[Paths.Record, Paths.PidFile, .. Paths.Locks])
            {
                _ = SystemCalls.Touch(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The filesystem may be back in half a minute. Only a record of somebody else's ends us.
        }

        return true;
    }

    /// <summary>Removes PID file and record, if they are still ours, and gives up the locks.</summary>
    public void Dispose()
    {
        if (Read(Paths.Record)?.Id == Record.Id)
        {
            File.Delete(Paths.PidFile);
            File.Delete(Paths.Record);
        }

        foreach (InstanceLock held in _locks)
        {
            held.Dispose();
        }
    }

    // The record first, and only if it is not there: that is how hosts whose locks do not reach one another agree.
    private bool TryWrite()
    {
        if (!LocalFile.TryPlace(Paths.Record, JsonSerializer.SerializeToUtf8Bytes(Record, PelicanJson.Output.InstanceRecord)))
        {
            return false;
        }

        LocalFile.Replace(Paths.PidFile, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Record.Pid}\n")));
        return true;
    }

    // After a full disk: a record without content is ours, since nobody else's was there.
    private void RemoveHalf()
    {
        if (File.Exists(Paths.Record) && Read(Paths.Record) is var found && (found is null || found.Id == Record.Id))
        {
            File.Delete(Paths.Record);
        }
    }
}
