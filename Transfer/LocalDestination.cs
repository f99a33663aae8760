namespace Pelican.Transfer;

/// <summary>Where a download is to appear on disk; directories made for it go again if nothing comes of it.</summary>
internal sealed class LocalDestination : IDisposable
{
    private readonly List<string> _made;
    private readonly LocalEntry _there;
    private bool _keep;

    private LocalDestination(string path, (string Path, LocalEntry There) target, List<string> made)
    {
        Path = path;
        (Target, _there) = target;
        _made = made;
    }

    /// <summary>Absolute path of the final file, as it was named.</summary>
    public string Path { get; }

    /// <summary>Where it is: where a link of that name leads.</summary>
    public string Target { get; }

    /// <summary>Mode of the file: that of the one it replaces, if there is one.</summary>
    /// <param name="mode">Mode of a new one.</param>
    public UnixFileMode Mode(UnixFileMode mode) => _there.Kind == LocalKind.File ? _there.Mode : mode;

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

    /// <summary>A final path in a directory that is there. A link is replaced: nobody has named it.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Local"/>: the path is a directory, or something else that is no file.</exception>
    public static LocalDestination Exactly(string path)
    {
        LocalEntry there = LocalEntry.AtLink(path);
        CheckKind(path, there.Kind == LocalKind.Link ? LocalEntry.At(path) : there);
        return new LocalDestination(path, (path, there), []);
    }

    /// <summary>Decides the final path and makes missing directories.</summary>
    /// <param name="destination">Absolute path; a directory, or a name that ends with a slash, receives the object under its own name.</param>
    /// <param name="name">The object's own name.</param>
    /// <param name="fileMode">Mode of new files, by which directories get theirs.</param>
    /// <exception cref="PelicanException">Rows <c>Local…</c>.</exception>
    public static LocalDestination Prepare(string destination, string name, UnixFileMode fileMode)
    {
        string path = Chosen(destination, name);
        (string Path, LocalEntry There) target = Followed(path);
        List<string> made = [];
        string parent = System.IO.Path.GetDirectoryName(target.Path)!;
        for (string? missing = parent; missing is not null && !Directory.Exists(missing); missing = System.IO.Path.GetDirectoryName(missing))
        {
            made.Add(missing);
        }

        LocalDestination prepared = new(path, target, made);
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
        string path = Chosen(destination, name);
        _ = Followed(path);
        return path;
    }

    /// <summary>Asks whether what is there may be replaced: a file that nobody may write into is not, as cp has it, unless that is wanted.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.LocalDenied"/>.</exception>
    public void CheckConsent(bool overwrite)
    {
        const UnixFileMode write = UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
        const int writable = 2;
        if (_there.Kind == LocalKind.File && !overwrite && ((_there.Mode & write) == 0 || FileCalls.Access(Target, writable) != 0))
        {
            throw new PelicanException(Errors.LocalDenied, $"cannot replace '{Path}': it is read-only", $"Give --overwrite, or make it writable: chmod u+w '{Path}'");
        }
    }

    private static string Chosen(string destination, string name) =>
        destination.EndsWith('/') || Directory.Exists(destination) ? System.IO.Path.Combine(destination, name) : destination;

    // Where a link leads, since the user has named it; to a file that is not there yet, too.
    private static (string Path, LocalEntry There) Followed(string path)
    {
        LocalEntry there = LocalEntry.AtLink(path);
        string target = path;
        if (there.Kind == LocalKind.Link)
        {
            try
            {
                target = File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw Faults.FromLocal(e, path, "create");
            }

            there = LocalEntry.At(target);
        }

        CheckKind(path, there);
        return (target, there);
    }

    private static void CheckKind(string path, LocalEntry there)
    {
        if (there.Kind == LocalKind.Directory)
        {
            throw new PelicanException(Errors.Local, $"cannot create '{path}': it is a directory", "Choose another destination.");
        }

        // Whoever reads from it would wait for ever for what went into a file of its name.
        if (there.Kind == LocalKind.Special)
        {
            throw new PelicanException(Errors.Local, $"cannot create '{path}': it is a pipe, a socket or a device",
                "To write into it, download to standard output: pelican object get <source> - >…");
        }
    }

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
