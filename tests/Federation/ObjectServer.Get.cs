using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Pelican.Federation;

/// <summary>GET and HEAD: whole, by range, with digest, with trailer.</summary>
public abstract partial class ObjectServer
{
    private readonly Dictionary<(string Path, string Name), (long Second, byte[] Digest)> _digests = [];
    private string? _lastDigest;

    private async Task<Reply> GetAsync(Request request, FederationNamespace ns, ObjectName name, CancellationToken cancellationToken)
    {
        Access access = request.Method == "HEAD" ? Access.Stat : Access.Read;
        if (!Allows(request, ns, name.Path, access))
        {
            return Denied(request, name.Path, access);
        }

        Found found = await FindAsync(request, name.Path, cancellationToken);
        switch (found)
        {
            case { Failure: { } failure }:
                return failure;
            case { Entry: DirectoryInfo directory }:
                return GetCollection(request, name.Path, directory);
            case { Entry: FileInfo } when name.EndsWithSlash && Dialect.IsXrootd:
                return Failure(request, 500, "open", name.Sent, "not a directory");
            case { Entry: FileInfo } when request.Method == "GET" && IsBusy(name.Path):
                return Busy(request, name.Path);
            case { Entry: FileInfo file }:
                return Dialect.IsXrootd ? GetObject(request, name.Path, file, found.Age) : GetLikePelican(request, name.Path, file, found.Age);
            case { Entry: null } when Dialect.IsXrootd && BelowFile(FileOf(name.Path)):
                return Failure(request, 500, "open", name.Sent, "not a directory");
            default:
                return Failure(request, 404, "open", name.Path, "no such file or directory");
        }
    }

    /// <summary>
    /// XRootD cannot say by GET or HEAD that something is a collection (xrootd.md 3.2); Pelican's origins say 405, but to
    /// browsers (pelican-servers.md 3).
    /// </summary>
    private Reply GetCollection(Request request, string path, DirectoryInfo directory)
    {
        bool browser = request.Headers["Accept"]?.Contains("text/html", StringComparison.Ordinal) == true;
        if (!Dialect.IsXrootd && !(ServesPages && browser && request.Method == "GET"))
        {
            return Failure(request, 405, "open", path, "is a directory");
        }

        if (request.Method == "GET")
        {
            string rows = string.Concat(directory.EnumerateFileSystemInfos().Select(entry => $"<tr><td>{entry.Name}</td></tr>\n"));
            Reply page = new(200, $"<!DOCTYPE html>\n<html><head><title>{path}</title></head><body><table>\n{rows}</table></body>\n");
            page.Headers["Cache-Control"] = Dialect.IsXrootd ? null : "no-store";
            return page;
        }

        if (request.Headers["Want-Digest"] is not null)
        {
            return Failure(request, 409, "open", path, "is a directory");
        }

        Reply reply = new(200);
        reply.Headers["Content-Length"] = "4096";
        AddHeadProperties(request, reply, directory);
        return reply;
    }

    private Reply GetObject(Request request, string path, FileInfo file, int? age)
    {
        Reply reply = new(200);
        if (request.Headers["Want-Digest"] is { } wanted && AddDigest(request, reply, path, file, wanted) is { } failure)
        {
            return failure;
        }

        if (request.Method == "GET" && Dialect.UnaskedDigest && request.Headers["Want-Digest"] is null)
        {
            reply.Headers["Digest"] = _lastDigest;
        }

        reply.Headers["Age"] = Dialect.Ages ? age?.ToString(CultureInfo.InvariantCulture) : null;
        if (request.Method == "HEAD")
        {
            AddHeadProperties(request, reply, file);
            reply.SetBody(Stream.Null, file.Length);
            return reply;
        }

        reply.SetBody(new FilePart(file.FullName, 0, file.Length), file.Length);
        if (request.Headers["Range"] is not null && !request.RangeIgnored && ApplyRange(request, reply, file) is { } refusal)
        {
            reply.SetBody([]);
            return refusal;
        }

        AddTrailer(request, reply);
        return reply;
    }

    private void AddHeadProperties(Request request, Reply reply, FileSystemInfo entry)
    {
        bool tagged = Dialect.InodeETag && request.Headers["Want-Digest"] is null;
        reply.Headers["Accept-Ranges"] = Dialect.RangesAnnounced ? "bytes" : null;
        reply.Headers["Etag"] = tagged ? InodeETag(entry) : null;
    }

    /// <summary>An ETag that no rewriting in place changes (xrootd.md 2.1).</summary>
    private static string InodeETag(FileSystemInfo entry) =>
        $"\"{Convert.ToHexStringLower(Checksums.Of("crc32c", Encoding.UTF8.GetBytes(entry.FullName)))}\"";

    /// <returns>An answer to give instead; null when the reply, perhaps changed, stands.</returns>
    private Reply? ApplyRange(Request request, Reply reply, FileInfo file)
    {
        Match match = AnyRange().Match(request.Headers["Range"]!);
        long size = file.Length;
        if (!match.Success || (match.Groups[1].Length == 0 && (match.Groups[2].Length == 0 || Dialect.LooseRanges)))
        {
            return null;
        }

        bool open = match.Groups[2].Length == 0;
        long last = open ? size - 1 : long.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        long first = match.Groups[1].Length == 0
            ? Math.Max(0, size - last)
            : long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        if (Dialect.LooseRanges)
        {
            ApplyLooseRange(reply, file, first, open ? null : last);
            return null;
        }

        if (match.Groups[1].Length == 0)
        {
            last = size - 1;
        }
        else if (last < first && first < size)
        {
            return null;
        }
        else if (first >= size)
        {
            return OutOfRange();
        }

        SetRange(reply, file, first, Math.Min(last, size - 1));
        return null;
    }

    private static void SetRange(Reply reply, FileInfo file, long first, long last)
    {
        reply.Status = 206;
        reply.Headers["Content-Range"] = string.Create(CultureInfo.InvariantCulture, $"bytes {first}-{last}/{file.Length}");
        reply.SetBody(new FilePart(file.FullName, first, last - first + 1), last - first + 1);
    }

    /// <summary>Empty answers for open and very long ranges, promises beyond the end that are not kept (xrootd.md 3.5).</summary>
    private static void ApplyLooseRange(Reply reply, FileInfo file, long first, long? last)
    {
        long length = last - first + 1 ?? 0;
        bool empty = length is <= 0 or > int.MaxValue;
        SetRange(reply, file, first, empty ? first - 1 : last!.Value);
        reply.Close = empty;
        reply.Headers["Content-Range"] = string.Create(CultureInfo.InvariantCulture, $"bytes {first}-{last ?? -1}/{file.Length}");
        if (!empty && last >= file.Length)
        {
            reply.SetBody([]);
            reply.Headers["Content-Length"] = length.ToString(CultureInfo.InvariantCulture);
        }
    }

    private static Reply OutOfRange()
    {
        const string Text =
            "None of the range-specifier values in the Range request-header field overlap the current extent of the selected resource.";
        Reply reply = new(416, Text) { Close = true };
        reply.Headers["Connection"] = "Close";
        return reply;
    }

    private protected void AddTrailer(Request request, Reply reply)
    {
        if (Dialect.Trailers && request.Headers["TE"] == "trailers" && request.Headers["X-Transfer-Status"] == "true")
        {
            reply.Chunked = true;
            reply.Trailers["X-Transfer-Status"] = "200: OK";
            reply.Headers["Trailer"] = Dialect.TrailerAnnounced ? "X-Transfer-Status" : null;
        }
    }

    /// <returns>An answer to give instead; null for none.</returns>
    private Reply? AddDigest(Request request, Reply reply, string path, FileInfo file, string wanted)
    {
        if (!HasDigests)
        {
            return Failure(request, Dialect.NoDigestsStatus, "checksum", path, "Failed to determine checksum");
        }

        (string? header, int failure) = DigestOf(request, path, file, wanted);
        _lastDigest = header;
        reply.Headers["Digest"] = header;
        return failure == 0 ? null : Failure(request, failure, "checksum", path, "Failed to determine checksum");
    }

    /// <summary>The <c>Digest</c> header for an object, or the status of a failure.</summary>
    private protected virtual (string? Header, int Failure) DigestOf(Request request, string path, FileInfo file, string wanted) =>
        (DigestNames.Choose(wanted, Dialect) is { Count: > 0 } names
            ? string.Join(",", names.Select(name =>
                DigestNames.Header(name, Digest(path, file, DigestNames.Computed(name, Dialect)), Dialect)))
            : null, 0);

    /// <summary>
    /// The digest, kept while the second of the file's time is the same (xrootd.md 5.6); Pelican's origins drop it when
    /// they change the object themselves (pelican-servers.md 5.5).
    /// </summary>
    private protected byte[] Digest(string path, FileInfo file, string name)
    {
        long second = new DateTimeOffset(file.LastWriteTimeUtc).ToUnixTimeSeconds();
        lock (_digests)
        {
            if (_digests.TryGetValue((path, name), out (long Second, byte[] Digest) kept) && kept.Second == second)
            {
                return kept.Digest;
            }

            byte[] digest = Checksums.Of(name, File.ReadAllBytes(file.FullName));
            _digests[(path, name)] = (second, digest);
            return digest;
        }
    }

    /// <summary>XRootD takes any unit, or none, for bytes (xrootd.md 3.5).</summary>
    [GeneratedRegex("^(?:[a-z]+=)?([0-9]*)-([0-9]*)$")]
    private static partial Regex AnyRange();
}
