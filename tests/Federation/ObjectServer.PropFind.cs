using System.Globalization;
using System.Security;
using System.Text;
using System.Xml.Linq;

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
        Request request, FederationNamespace ns, ObjectName name, CancellationToken cancellationToken)
    {
        using MemoryStream body = new();
        await request.Body.CopyToAsync(body, cancellationToken);
        if (!Allows(request, ns, name.Path, Access.Stat))
        {
            return Denied(request, name.Path, Access.Stat);
        }

        if (PassOn(request, name.Path) is { } elsewhere)
        {
            return elsewhere;
        }

        Found found = FindForListing(request, name.Path);
        if (found.Failure is null && !Dialect.IsXrootd && BelowFile(FileOf(name.Path)))
        {
            return Reply.Plain(405);
        }

        if (found.Failure is { } failure)
        {
            return failure;
        }

        if (found.Entry is not { } entry)
        {
            return Failure(request, 404, "locate", name.Path, "no such file or directory");
        }

        if (entry is FileInfo && name.EndsWithSlash && Dialect.IsXrootd)
        {
            return Failure(request, 500, "locate", name.Sent, "not a directory");
        }

        return Dialect.IsXrootd
            ? ListLikeXrootd(request, name, entry)
            : ListLikePelican(request, HrefPrefix(request) + name.Path, entry, Encoding.UTF8.GetString(body.ToArray()));
    }

    /// <summary>What precedes the federation's path in an href.</summary>
    private protected virtual string HrefPrefix(Request request) => request.Prefix;

    private Reply ListLikeXrootd(Request request, ObjectName name, FileSystemInfo entry)
    {
        bool lists = entry is DirectoryInfo && request.Headers["Depth"] is "1" or "2";
        string self = name.EndsWithSlash ? name.Path + "/" : name.Path;
        StringBuilder xml = new("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
            + "<D:multistatus xmlns:D=\"DAV:\" xmlns:ns1=\"http://apache.org/dav/props/\" xmlns:ns0=\"DAV:\">\n");
        DescribeLikeXrootd(xml, self, entry, false);
        foreach (FileSystemInfo child in lists ? ((DirectoryInfo)entry).EnumerateFileSystemInfos() : [])
        {
            DescribeLikeXrootd(xml, $"{self.TrimEnd('/')}/{child.Name}", child, true);
        }

        return new Reply(207, xml.Append("</D:multistatus>\n").ToString(), "text/xml; charset=\"utf-8\"");
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

    /// <summary>Encoded hrefs, collections with a slash; the properties that were named, or all (pelican-servers.md 9).</summary>
    private static Reply ListLikePelican(Request request, string self, FileSystemInfo entry, string question)
    {
        string[]? named = NamedProperties(question);
        StringBuilder xml = new("<?xml version=\"1.0\" encoding=\"UTF-8\"?><D:multistatus xmlns:D=\"DAV:\">");
        DescribeLikePelican(xml, self, entry, named);
        foreach (FileSystemInfo child in entry is DirectoryInfo directory ? ChildrenOf(directory, request.Headers["Depth"]) : [])
        {
            DescribeLikePelican(xml, self + child.FullName[entry.FullName.Length..], child, named);
        }

        return new Reply(207, xml.Append("</D:multistatus>").ToString(), "text/xml; charset=utf-8") { Chunked = xml.Length > 2048 };
    }

    /// <summary>Without a depth it is the whole tree.</summary>
    private static IEnumerable<FileSystemInfo> ChildrenOf(DirectoryInfo directory, string? depth) => depth == "0" ? []
        : directory.EnumerateFileSystemInfos("*", depth == "1" ? SearchOption.TopDirectoryOnly : SearchOption.AllDirectories)
            .OrderBy(entry => entry.FullName, StringComparer.Ordinal);

    /// <returns>Null when all are wanted.</returns>
    private static string[]? NamedProperties(string question) =>
        question.Length == 0 || XDocument.Parse(question).Root?.Elements().FirstOrDefault(e => e.Name.LocalName == "prop") is not { } prop
            ? null
            : [.. prop.Elements().Select(element => element.Name.LocalName)];

    private static void DescribeLikePelican(StringBuilder xml, string path, FileSystemInfo entry, string[]? named)
    {
        Dictionary<string, string> all = new()
        {
            ["displayname"] = SecurityElement.Escape(entry.Name),
            ["getlastmodified"] = Rfc1123(entry.LastWriteTimeUtc),
            ["supportedlock"] = "<D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>",
            ["resourcetype"] = entry is DirectoryInfo ? "<D:collection xmlns:D=\"DAV:\"/>" : "",
        };
        if (entry is FileInfo file)
        {
            all["getcontentlength"] = file.Length.ToString(CultureInfo.InvariantCulture);
            all["getcontenttype"] = "application/octet-stream";
            all["getetag"] = PropertyETag(file);
        }

        string href = string.Join('/', path.Split('/').Select(Uri.EscapeDataString)) + (entry is DirectoryInfo ? "/" : "");
        string found = string.Concat((named ?? [.. all.Keys]).Where(all.ContainsKey).Select(name => $"<D:{name}>{all[name]}</D:{name}>"));
        string missing = string.Concat((named ?? []).Where(name => !all.ContainsKey(name)).Select(name => $"<D:{name}></D:{name}>"));
        xml.Append(CultureInfo.InvariantCulture, $"<D:response><D:href>{href}</D:href>{PropStat(found, "200 OK")}{PropStat(missing, "404 Not Found")}</D:response>");
    }

    private static string PropStat(string properties, string status) => properties.Length == 0 ? ""
        : $"<D:propstat><D:prop>{properties}</D:prop><D:status>HTTP/1.1 {status}</D:status></D:propstat>";
}
