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
    private readonly FileStream _file;
    private bool _any;

    private TransferStatsFile(string path, FileStream file) => (_path, _file) = (path, file);

    /// <summary>Identifies the command in every record.</summary>
    public Guid Job { get; } = Guid.NewGuid();

    /// <summary>Creates it, before anything is transferred.</summary>
    /// <param name="path">Absolute; null for no such file.</param>
    /// <exception cref="PelicanException">It cannot be written.</exception>
    public static TransferStatsFile? Create(string? path)
    {
        if (path is null)
        {
            return null;
        }

        try
        {
            FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.Read);
            file.Write("["u8);
            return new TransferStatsFile(path, file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, path, "write");
        }
    }

    /// <summary>Adds the record of one source.</summary>
    public void Add(TransferStats stats)
    {
        try
        {
            _file.Write(_any ? ",\n [\n"u8 : "\n [\n"u8);
            JsonSerializer.Serialize(_file, stats, PelicanJson.Output.TransferStats);
            _file.Write("\n ]"u8);
            _any = true;
        }
        catch (IOException e)
        {
            throw Faults.FromLocal(e, _path, "write");
        }
    }

    /// <summary>Ends the array and closes the file.</summary>
    public void Dispose()
    {
        _file.Write("\n]\n"u8);
        _file.Dispose();
    }
}
