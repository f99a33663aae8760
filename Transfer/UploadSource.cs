using Microsoft.Win32.SafeHandles;

namespace Pelican.Transfer;

/// <summary>The file of one upload, open, as it was when the upload began.</summary>
internal sealed class UploadSource : IDisposable
{
    private const string EmptyDevice = "/dev/null";

    private readonly FileStream _file;
    private readonly DateTime _modified;
    private readonly LocalEntry _opened;

    private UploadSource(string path, FileStream file)
    {
        (Path, _file) = (path, file);
        (Length, _modified, _opened) = (file.Length, File.GetLastWriteTimeUtc(file.SafeFileHandle), LocalEntry.Of(file.SafeFileHandle));
    }

    /// <summary>Absolute local path.</summary>
    public string Path { get; }

    /// <summary>Bytes to send.</summary>
    public long Length { get; }

    /// <summary>For the body.</summary>
    public SafeFileHandle Handle => _file.SafeFileHandle;

    /// <summary>Opens it.</summary>
    /// <exception cref="PelicanException">It is not there, is a directory, may not be read, or has a size that nobody knows.</exception>
    public static UploadSource Open(string path)
    {
        FileStream? file = null;
        try
        {
            file = LocalEntry.At(path).Kind switch
            {
                LocalKind.Directory => throw new PelicanException(Errors.Parameter, $"'{path}' is a directory",
                    "Name the files in it, or upload it whole with -r."),
                // To open a pipe waits for its writer, and nothing ends that.
                LocalKind.Special when path != EmptyDevice => throw new PelicanException(Errors.NotSupported,
                    $"'{path}' is a pipe, a socket or a device: its size is not known before its end", "Write it to a file first."),
                _ => new FileStream(path, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 }),
            };
            UploadSource source = new(path, file);
            // What is empty for the kernel and has bytes all the same, as in /proc.
            return source.Length > 0 || path == EmptyDevice || RandomAccess.Read(file.SafeFileHandle, new byte[1], 0) == 0 ? source
                : throw new PelicanException(Errors.NotSupported, $"cannot upload '{path}': its size is not known before its end", "Write it to a file first.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file?.Dispose();
            throw Faults.FromLocal(e, path, "read");
        }
        catch (PelicanException)
        {
            file?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Why nothing that was sent of it can be called right: its size or time is another by now, or another file has its name, and digests are
    /// computed by name. Null when it is as it was.
    /// </summary>
    public PelicanException? Change() =>
        _file.Length == Length && File.GetLastWriteTimeUtc(Handle) == _modified && LocalEntry.At(Path) is var now && (now.Kind == LocalKind.Unknown || now.IsSame(_opened)) ? null
        : new PelicanException(Errors.Local, $"'{Path}' was changed while it was uploaded", "Wait until whatever writes it is done, then upload it again.");

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
