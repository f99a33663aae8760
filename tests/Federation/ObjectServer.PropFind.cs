using System.Globalization;
using System.Security;
using System.Text;

namespace Pelican.Federation;

/// <summary>PROPFIND.</summary>
public abstract partial class ObjectServer
{
    private const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>What a listing at a path describes; a cache asks its origin.</summary>
    private protected virtual Found FindForListing(Request request, string path) => new(EntryAt(FileOf(path)));

    private protected static FileSystemInfo? EntryAt(string local) =>
        Directory.Exists(local) ? new DirectoryInfo(local) : File.Exists(local) ? new FileInfo(local) : null;

    private async Task<Reply> PropFindAsync(
        Request request, FederationNamespace ns, ObjectName name, string prefix, CancellationToken cancellationToken)
    {
        await request.Body.CopyToAsync(Stream.Null, cancellationToken);
        if (!Allows(request, ns, name.Path, Access.Stat))
        {
            return Denied(request, name.Path);
        }

        Found found = FindForListing(request, name.Path);
        if (found.Failure is { } failure)
        {
            return failure;
        }

        if (found.Entry is not { } entry)
        {
            return Failure(request, 404, "locate", name.Path, Dialect.IsXrootd ? "no such file or directory" : "not_found");
        }

        if (entry is FileInfo && name.EndsWithSlash && Dialect.IsXrootd)
        {
            return Failure(request, 500, "locate", name.Sent, "not a directory");
        }

        string? depth = request.Headers["Depth"];
        bool lists = entry is DirectoryInfo && (depth is "1" or "2" || (!Dialect.IsXrootd && depth is "infinity" or null));
        string self = prefix + (Dialect.IsXrootd && name.EndsWithSlash ? name.Path + "/" : name.Path);
        StringBuilder xml = new("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
            + "<D:multistatus xmlns:D=\"DAV:\" xmlns:ns1=\"http://apache.org/dav/props/\" xmlns:ns0=\"DAV:\">\n");
        Describe(xml, self, entry, false);
        foreach (FileSystemInfo child in lists ? ((DirectoryInfo)entry).EnumerateFileSystemInfos() : [])
        {
            Describe(xml, $"{self.TrimEnd('/')}/{child.Name}", child, true);
        }

        return new Reply(207, xml.Append("</D:multistatus>\n").ToString(), "text/xml; charset=\"utf-8\"");
    }

    private void Describe(StringBuilder xml, string path, FileSystemInfo entry, bool inListing)
    {
        if (Dialect.IsXrootd)
        {
            DescribeLikeXrootd(xml, path, entry, inListing);
        }
        else
        {
            DescribeLikePelican(xml, path, entry);
        }
    }

    /// <summary>Names raw, two prefixes for one namespace, and a second <c>iscollection</c> for what is executable (xrootd.md 8).</summary>
    private void DescribeLikeXrootd(StringBuilder xml, string path, FileSystemInfo entry, bool inListing)
    {
        bool isCollection = entry is DirectoryInfo;
        bool executable = (entry.UnixFileMode & Executable) != 0;
        string type = isCollection ? "<lp1:resourcetype><D:collection/></lp1:resourcetype>\n"
            : Dialect.InodeETag ? "<lp1:resourcetype/>\n" : "";
        string again = executable && (inListing || !Dialect.InodeETag) ? "<lp1:iscollection>1</lp1:iscollection>\n" : "";
        xml.Append(CultureInfo.InvariantCulture, $"""
            <D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/" xmlns:lp3="LCGDM:">
            <D:href>{SecurityElement.Escape(path)}</D:href>
            <D:propstat>
            <D:prop>
            <lp1:getcontentlength>{(entry is FileInfo file ? file.Length : 4096)}</lp1:getcontentlength>
            <lp1:getlastmodified>{Rfc1123(entry.LastWriteTimeUtc)}</lp1:getlastmodified>
            {type}<lp1:iscollection>{(isCollection ? 1 : 0)}</lp1:iscollection>
            <lp1:executable>{(executable ? "T" : "F")}</lp1:executable>
            {again}</D:prop>
            <D:status>HTTP/1.1 200 OK</D:status>
            </D:propstat>
            </D:response>

            """);
    }

    private static void DescribeLikePelican(StringBuilder xml, string path, FileSystemInfo entry)
    {
        string href = string.Join('/', path.Split('/').Select(Uri.EscapeDataString)) + (entry is DirectoryInfo ? "/" : "");
        string properties = entry is FileInfo file
            ? string.Create(CultureInfo.InvariantCulture, $"<D:resourcetype/><D:getcontentlength>{file.Length}</D:getcontentlength>")
            : "<D:resourcetype><D:collection/></D:resourcetype>";
        xml.Append(CultureInfo.InvariantCulture, $"""
            <D:response><D:href>{href}</D:href>
            <D:propstat><D:prop><D:displayname>{SecurityElement.Escape(entry.Name)}</D:displayname>{properties}
            <D:getlastmodified>{Rfc1123(entry.LastWriteTimeUtc)}</D:getlastmodified></D:prop>
            <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>

            """);
    }
}
