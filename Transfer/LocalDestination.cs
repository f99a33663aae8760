namespace Pelican.Transfer;

/// <summary>Where a download is to appear on disk; directories made for it go again if nothing comes of it.</summary>
internal sealed class LocalDestination : IDisposable
{
    private readonly List<string> _made;
    private bool _keep;

    private LocalDestination(string path, List<string> made)
    {
        Path = path;
        _made = made;
    }

    /// <summary>Absolute path of the final file.</summary>
    public string Path { get; }

    /// <summary>Whether a destination is a device, which is written to and not replaced.</summary>
    public static bool IsDevice(string destination) =>
        destination.StartsWith("/dev/", StringComparison.Ordinal)
        // Memory that jobs use as a file system.
        && destination != "/dev/shm" && !destination.StartsWith("/dev/shm/", StringComparison.Ordinal);

    /// <summary>Opens a device for writing.</summary>
    public static FileStream OpenDevice(string destination)
    {
        try
        {
            return new FileStream(destination, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, destination, "write to");
        }
    }

    /// <summary>A final path in a directory that is there.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Local"/>: the path is a directory, or something else that is no file.</exception>
    public static LocalDestination Exactly(string path) => new(Replaceable(path), []);

    /// <summary>Decides the final path and makes missing directories.</summary>
    /// <param name="destination">Absolute path; a directory, or a name that ends with a slash, receives the object under its own name.</param>
    /// <param name="name">The object's own name.</param>
    /// <param name="fileMode">Mode of new files, by which directories get theirs.</param>
    /// <exception cref="PelicanException">Rows <c>Local…</c>.</exception>
    public static LocalDestination Prepare(string destination, string name, UnixFileMode fileMode)
    {
        string path = Decide(destination, name);
        List<string> made = [];
        string parent = System.IO.Path.GetDirectoryName(path)!;
        for (string? missing = parent; missing is not null && !Directory.Exists(missing); missing = System.IO.Path.GetDirectoryName(missing))
        {
            made.Add(missing);
        }

        LocalDestination prepared = new(path, made);
        try
        {
            Directory.CreateDirectory(parent, DirectoryMode(fileMode));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            prepared.Dispose();
            throw Faults.FromLocal(e, parent, "create");
        }

        return prepared;
    }

    /// <summary>Mode of a new directory under the caller's umask, as far as the mode of new files tells it.</summary>
    public static UnixFileMode DirectoryMode(UnixFileMode files)
    {
        const UnixFileMode Read = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        return files | (UnixFileMode)((int)(files & Read) >> 2) | UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    }

    /// <summary>The final path, as <see cref="Prepare"/> would have it; makes nothing.</summary>
    public static string Decide(string destination, string name)
    {
        bool directory = destination.EndsWith('/') || Directory.Exists(destination);
        return Replaceable(directory ? System.IO.Path.Combine(destination, name) : destination);
    }

    private static string Replaceable(string path) => LocalEntry.At(path).Kind switch
    {
        LocalKind.Directory => throw new PelicanException(Errors.Local, $"cannot create '{path}': it is a directory", "Choose another destination."),
        // Whoever reads from it would wait for ever for what went into a file of its name.
        LocalKind.Special => throw new PelicanException(Errors.Local, $"cannot create '{path}': it is a pipe, a socket or a device",
            "To write into it, download to standard output: pelican object get <source> - >…"),
        _ => path,
    };

    /// <summary>Something is in it now: the directories stay.</summary>
    public void Keep() => _keep = true;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_keep)
        {
            return;
        }

        try
        {
            foreach (string directory in _made.Where(Directory.Exists))
            {
                Directory.Delete(directory);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not empty: somebody else uses it by now.
        }
    }
}
