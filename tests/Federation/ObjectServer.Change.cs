namespace Pelican.Federation;

/// <summary>DELETE, MKCOL and MOVE.</summary>
public abstract partial class ObjectServer
{
    /// <summary>Local file that a change applies to; a cache passes changes on to its origin.</summary>
    private protected virtual string ChangedFileOf(string path) => FileOf(path);

    private Reply Delete(Request request, FederationNamespace ns, ObjectName name)
    {
        if (!Allows(request, ns, name.Path, Access.Delete))
        {
            return Denied(request, name.Path);
        }

        string local = ChangedFileOf(name.Path);
        if (File.Exists(local) && name.EndsWithSlash)
        {
            return Failure(request, Dialect.IsXrootd ? 500 : 404, "remove", name.Path, "not a directory");
        }

        if (Directory.Exists(local) && Dialect.NotEmptyStatus != 0 && Directory.EnumerateFileSystemEntries(local).Any())
        {
            return Failure(request, Dialect.NotEmptyStatus, "remove", name.Path, "directory not empty");
        }

        if (Directory.Exists(local))
        {
            Directory.Delete(local, true);
        }
        else if (File.Exists(local))
        {
            File.Delete(local);
        }
        else
        {
            return Failure(request, 404, "remove", name.Path, Dialect.IsXrootd ? "no such file or directory" : "not_found");
        }

        File.Delete(FileOf(name.Path));
        return Dialect.IsXrootd ? new Reply(200, ":-)") : new Reply(204);
    }

    private Reply MakeCollection(Request request, FederationNamespace ns, ObjectName name)
    {
        string local = ChangedFileOf(name.Path);
        if (!Allows(request, ns, name.Path, Access.Create))
        {
            return Denied(request, name.Path);
        }

        if (File.Exists(local) || (Directory.Exists(local) && !Dialect.IsXrootd))
        {
            return Failure(request, 405, "create", name.Path, "file exists");
        }

        if (!Dialect.IsXrootd && !Directory.Exists(Path.GetDirectoryName(local)))
        {
            return Failure(request, 409, "create", name.Path, "parent_missing");
        }

        Directory.CreateDirectory(local);
        return new Reply(201, Dialect.IsXrootd ? ":-)" : "");
    }

    /// <summary>XRootD overwrites whatever is asked and does not decode the new name (xrootd.md 7.3).</summary>
    private Reply Move(Request request, FederationNamespace ns, ObjectName name)
    {
        if (!Uri.TryCreate(request.Headers["Destination"], UriKind.Absolute, out Uri? destination) || destination.IsFile)
        {
            return Failure(request, Dialect.UnknownReasons ? 501 : 400, "rename", name.Path, "no destination");
        }

        string raw = "/" + destination.OriginalString.Split('/', 4)[3];
        string target = Dialect.IsXrootd ? raw : Uri.UnescapeDataString(raw);
        if (!Allows(request, ns, name.Path, Access.Modify))
        {
            return Denied(request, name.Path);
        }

        (string from, string to) = (ChangedFileOf(name.Path), ChangedFileOf(target));
        if (!Path.Exists(from))
        {
            return Failure(request, 404, "rename", name.Path, "no such file or directory");
        }

        if (!Dialect.IsXrootd && request.Headers["Overwrite"] == "F" && Path.Exists(to))
        {
            return Failure(request, 412, "rename", name.Path, "precondition_failed");
        }

        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        if (Directory.Exists(from))
        {
            Directory.Move(from, to);
        }
        else
        {
            File.Move(from, to, true);
        }

        return new Reply(201);
    }
}
