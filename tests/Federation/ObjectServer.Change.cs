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
            return Failure(request, Dialect.IsXrootd ? 500 : 404, "locate", name.Sent, "not a directory");
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
            return Failure(request, 404, "locate", name.Path, Dialect.IsXrootd ? "no such file or directory" : "not_found");
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
            return Dialect.IsXrootd
                ? Line(request, 405, "Method is not allowed; resource already exists.")
                : Failure(request, 405, "create", name.Path, "file_exists");
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
        string destination = request.Headers["Destination"] ?? "";
        bool isPath = destination.StartsWith('/');
        if ((isPath && Dialect.UnknownReasons) || (!isPath && !Uri.IsWellFormedUriString(destination, UriKind.Absolute)))
        {
            return Line(request, Dialect.UnknownReasons ? 501 : 400, "Cannot parse destination url.");
        }

        string raw = isPath ? destination : "/" + destination.Split('/', 4)[3];
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

        return new Reply(201, Dialect.IsXrootd ? ":-)" : "");
    }
}
