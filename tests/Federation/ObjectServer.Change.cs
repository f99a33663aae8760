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
            return Denied(request, name.Path, Access.Delete);
        }

        if (PassOn(request, name.Path) is { } elsewhere)
        {
            return elsewhere;
        }

        string local = ChangedFileOf(name.Path);
        if (Dialect.IsXrootd && File.Exists(local) && name.EndsWithSlash)
        {
            return Failure(request, 500, "locate", name.Sent, "not a directory");
        }

        if (!Dialect.IsXrootd && (name.Path == ns.Prefix || BelowFile(local)))
        {
            return Failure(request, 405, "remove", name.Path, "not a directory");
        }

        if (!Dialect.IsXrootd && _writing.ContainsKey(name.Path))
        {
            return Busy(request, name.Path);
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
            return Failure(request, 404, "locate", name.Path, "no such file or directory");
        }

        // A cache also drops its copy.
        File.Delete(FileOf(name.Path));
        return Dialect.IsXrootd ? new Reply(200, ":-)") : new Reply(204);
    }

    private Reply MakeCollection(Request request, FederationNamespace ns, ObjectName name)
    {
        string local = ChangedFileOf(name.Path);
        if (!Allows(request, ns, name.Path, Access.Create))
        {
            return Denied(request, name.Path, Access.Create);
        }

        if (File.Exists(local) || (BelowFile(local) && !Dialect.IsXrootd))
        {
            return Dialect.IsXrootd ? Line(request, 405, "Method is not allowed; resource already exists.") : Reply.Plain(405);
        }

        Directory.CreateDirectory(local);
        return Done(201);
    }

    private Reply Done(int status) => Dialect.IsXrootd ? new Reply(status, ":-)") : Reply.Plain(status);

    /// <summary>
    /// XRootD overwrites whatever is asked and does not decode the new name (xrootd.md 7.3); Pelican's origins overwrite on
    /// <c>Overwrite: T</c> alone (pelican-servers.md 8.3).
    /// </summary>
    private Reply Move(Request request, FederationNamespace ns, ObjectName name)
    {
        string destination = request.Headers["Destination"] ?? "";
        bool isPath = destination.StartsWith('/');
        if ((isPath && Dialect.UnknownReasons) || (!isPath && !Uri.IsWellFormedUriString(destination, UriKind.Absolute)))
        {
            return Line(request, Dialect.UnknownReasons ? 501 : 400, "Cannot parse destination url.");
        }

        string raw = isPath ? destination : "/" + destination.Split('/', 4)[3];
        string target = Dialect.IsXrootd ? raw : Uri.UnescapeDataString(WithoutPrefix(raw));
        if (!Allows(request, ns, name.Path, Access.Modify))
        {
            return Denied(request, name.Path, Access.Modify);
        }

        if (!Dialect.IsXrootd && _namespaces.Find(target)?.Prefix != ns.Prefix)
        {
            return Reply.Plain(403);
        }

        (string from, string to) = (ChangedFileOf(name.Path), ChangedFileOf(target));
        if (!Path.Exists(from))
        {
            return Failure(request, 404, "rename", name.Path, "no such file or directory");
        }

        if (!Dialect.IsXrootd && (_writing.ContainsKey(name.Path) || _writing.ContainsKey(target)))
        {
            return Busy(request, name.Path);
        }

        if (!Dialect.IsXrootd && request.Headers["Overwrite"] != "T" && Path.Exists(to))
        {
            return Reply.Plain(412);
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

        ForgetDigests(name.Path, target);
        return Done(201);
    }

    private string WithoutPrefix(string path) =>
        path.StartsWith(Prefix + "/", StringComparison.Ordinal) ? path[Prefix.Length..] : path;
}
