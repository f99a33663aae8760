using System.Collections.Concurrent;

namespace Pelican.Federation;

/// <summary>
/// A cache: keeps the whole objects that it was asked for, and never asks again (xrootd.md 12.1). It reads the disks of its
/// origins, and takes an origin that is down for unreachable.
/// </summary>
/// <param name="options">As for an origin; the directory holds what is cached.</param>
/// <param name="origins">Where objects come from.</param>
public sealed class Cache(ObjectServerOptions options, IReadOnlyList<Origin> origins) : ObjectServer(options)
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _since = new();

    /// <summary>Whether the origin is asked by HTTP; collections then are 409 to PROPFIND and HEAD (xrootd.md 12.1.5).</summary>
    public bool OriginIsHttp { get; set; }

    /// <summary>Forgets an object.</summary>
    public void Evict(string path)
    {
        _since.TryRemove(path, out _);
        File.Delete(FileOf(path));
    }

    private protected override Task<Found> FindAsync(Request request, string path, CancellationToken cancellationToken)
    {
        if (Cached(path) is { } cached)
        {
            return Task.FromResult(cached);
        }

        Found found = FindAtOrigin(request, path);
        if (found.Entry is DirectoryInfo && OriginIsHttp && request.Method == "HEAD")
        {
            found = new Found(null, null, Failure(request, 409, "locate", path, "is a directory"));
        }

        if (found.Entry is FileInfo && request.Headers["Cache-Control"] == "only-if-cached" && Dialect.Ages)
        {
            return Task.FromResult(new Found(null, null, Failure(request, Dialect.InodeETag ? 500 : 504, "open", path, "timer expired")));
        }

        if (found.Entry is FileInfo file && request.Method == "GET" && (request.Headers["Range"] is null || request.RangeIgnored))
        {
            Keep(path, file);
        }

        return Task.FromResult(found);
    }

    private protected override Found FindForListing(Request request, string path)
    {
        if (Cached(path) is { } cached)
        {
            return cached;
        }

        Found found = FindAtOrigin(request, path);
        bool refused = (found.Entry is DirectoryInfo && OriginIsHttp) || (found.Failure is not null && Dialect.IsXrootd && Dialect.Ages);
        return refused ? new Found(null, null, Failure(request, 409, "locate", path, "is a directory")) : found;
    }

    private protected override string ChangedFileOf(string path) =>
        (origins.FirstOrDefault(origin => origin.Exists(path)) ?? origins[0]).FileOf(path);

    private protected override Reply? RefuseWrite(Request request, string path) =>
        Failure(request, Dialect.ReadOnlyStatus, "open", path, "read-only file system");

    /// <summary>Newer caches pass on the origin's digest, whatever bytes they hold; 5.5's call a crc32c anything (12.2).</summary>
    private protected override (string? Header, int Failure) DigestOf(Request request, string path, FileInfo file, string wanted)
    {
        if (!Dialect.OldDigests)
        {
            FileInfo source = FindAtOrigin(request, path).Entry as FileInfo ?? file;
            return base.DigestOf(request, path, source, wanted);
        }

        string name = DigestNames.Choose(wanted, Dialect)[0];
        byte[] crc32c = Digest(path, file, "crc32c");
        return name == "adler32" ? ($"adler32={Convert.ToHexStringLower(crc32c)}", 0)
            : request.Method == "GET" ? (null, 500)
            : ($"md5={Convert.ToBase64String(crc32c)}", 0);
    }

    private Found? Cached(string path) =>
        _since.TryGetValue(path, out DateTimeOffset since) && File.Exists(FileOf(path))
            ? new Found(new FileInfo(FileOf(path)), (int)(Clock.GetUtcNow() - since).TotalSeconds)
            : null;

    private Found FindAtOrigin(Request request, string path)
    {
        Origin[] up = [.. origins.Where(origin => origin.IsUp)];
        return up.Length == 0
            ? new Found(null, null, Failure(request, Dialect.OriginDownStatus, "open", path, Dialect.OriginDownText))
            : new Found(up.Select(origin => EntryAt(origin.FileOf(path))).FirstOrDefault(entry => entry is not null));
    }

    private void Keep(string path, FileInfo file)
    {
        Store(path, File.ReadAllBytes(file.FullName), file.LastWriteTimeUtc);
        _since[path] = Clock.GetUtcNow();
    }
}
