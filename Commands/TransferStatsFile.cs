using System.Text;
using System.Text.Json;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>
/// The file of <c>--transfer-stats</c>: an array with an array for each source. It is written as transfers end, those that
/// fail included, where the Go client writes nothing unless all succeed.
/// </summary>
internal sealed class TransferStatsFile : IDisposable
{
    private readonly string _path;
    private readonly LocalFile _file;
    private long _length;
    private bool _any;
    private bool _ended;

    private TransferStatsFile(string path, LocalFile file) => (_path, _file) = (path, file);

    /// <summary>Identifies the command in every record.</summary>
    public Guid Job { get; } = Guid.NewGuid();

    /// <summary>Creates it, before anything is transferred.</summary>
    /// <param name="path">Absolute; null for no such file.</param>
    /// <param name="mode">Mode of a new file.</param>
    /// <exception cref="PelicanException">It cannot be written.</exception>
    public static TransferStatsFile? Create(string? path, UnixFileMode mode)
    {
        if (path is null)
        {
            return null;
        }

        try
        {
            TransferStatsFile stats = new(path, LocalFile.InPlace(path, mode));
            stats.Write("[");
            return stats;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, path, "write");
        }
    }

    /// <summary>Adds the record of one source.</summary>
    public void Add(TransferStats stats)
    {
        Write((_any ? ",\n [\n" : "\n [\n") + JsonSerializer.Serialize(stats, PelicanJson.Output.TransferStats) + "\n ]");
        _any = true;
    }

    /// <summary>Ends the array, and sees that all of it has reached the file.</summary>
    public void End()
    {
        if (_ended)
        {
            return;
        }

        _ended = true;
        Write("\n]\n");
        try
        {
            _file.Complete(durable: false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, _path, "write");
        }
    }

    /// <summary>Closes the file; of what was interrupted, the array ends all the same.</summary>
    public void Dispose()
    {
        try
        {
            End();
        }
        catch (PelicanException)
        {
            // What interrupted it is told.
        }

        _file.Dispose();
    }

    private void Write(string text)
    {
        try
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            RandomAccess.Write(_file.Handle, bytes, _length);
            _length += bytes.Length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            throw Faults.FromLocal(e, _path, "write");
        }
    }
}
