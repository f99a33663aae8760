using System.Collections.Concurrent;

namespace Pelican.Federation;

/// <summary>
/// A cache: keeps the whole objects that it was asked for, and does not ask again (xrootd.md 12.1) while they are fresh
/// (pelican-servers.md 11.1). It reads the disks of its origins, and takes an origin that is down for unreachable.
/// </summary>
/// <param name="options">As for an origin; the directory holds what is cached.</param>
/// <param name="origins">Where objects come from.</param>
public sealed partial class Cache(ObjectServerOptions options, IReadOnlyList<Origin> origins) : ObjectServer(options, isCache: true)
{
    private readonly ConcurrentDictionary<string, Kept> _kept = new();

    /// <summary>Whether the origin is asked by HTTP; collections then are 409 to PROPFIND and HEAD (xrootd.md 12.1.5).</summary>
    public bool OriginIsHttp { get; set; }

    /// <summary>Forgets an object.</summary>
    public void Evict(string path)
    {
        _kept.TryRemove(path, out _);
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

        if (RefuseFetching(request, found) is { } refusal)
        {
            return Task.FromResult(new Found(null, null, refusal));
        }

        bool whole = request.Headers["Range"] is null || request.RangeIgnored;
        if (found.Entry is FileInfo file && request.Method == "GET")
        {
            if (whole)
            {
                Keep(path, file);
            }

            // A Go cache has the blocks of a range, and calls itself 0 s old when it has just fetched all.
            return Task.FromResult(Dialect.IsXrootd ? found : whole ? Cached(path)! : KeepBlocks(path, file));
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

    private protected override string ChangedFileOf(string path) => OriginOf(path).FileOf(path);

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

    private Origin OriginOf(string path) => origins.FirstOrDefault(origin => origin.Exists(path)) ?? origins[0];

    private Reply? RefuseFetching(Request request, Found found)
    {
        bool onlyCached = request.Headers["Cache-Control"] == "only-if-cached";
        return !Dialect.IsXrootd
            ? onlyCached || request.Headers["X-Pelican-NoDownload"] == "true" ? new Reply(504) : null
            : found.Entry is FileInfo && onlyCached && Dialect.Ages
                ? Failure(request, Dialect.InodeETag ? 500 : 504, "open", request.Path, "timer expired")
                : null;
    }

    private Found? Cached(string path)
    {
        if (!_kept.TryGetValue(path, out Kept? kept) || !kept.Whole || !File.Exists(FileOf(path)) || (IsStale(kept) && !Revalidate(path, kept)))
        {
            return null;
        }

        return new Found(new FileInfo(FileOf(path)), (int)(Clock.GetUtcNow() - kept.Since).TotalSeconds);
    }

    private Found FindAtOrigin(Request request, string path)
    {
        Origin[] up = [.. origins.Where(origin => origin.IsUp)];
        return up.Length == 0
            ? new Found(null, null, OriginDown(request, path))
            : new Found(up.Select(origin => EntryAt(origin.FileOf(path))).FirstOrDefault(entry => entry is not null));
    }

    private Reply OriginDown(Request request, string path) => Dialect.IsXrootd
        ? Failure(request, Dialect.OriginDownStatus, "open", path, Dialect.OriginDownText)
        : OriginDownLikePelican(request);

    private void Keep(string path, FileInfo file)
    {
        Store(path, File.ReadAllBytes(file.FullName), file.LastWriteTimeUtc);
        ForgetDigests(path);
        string tag = file.Length == 0 ? PropertyETag(file) : ContentETag(path, file);
        _kept[path] = new Kept(true, Clock.GetUtcNow(), Clock.GetUtcNow(), _kept.TryGetValue(path, out Kept? before) && !before.Whole ? before.ETag : tag);
    }

    /// <summary>What a cache remembers of an object.</summary>
    /// <param name="Whole">All its blocks are there.</param>
    /// <param name="Since">When it came.</param>
    /// <param name="Checked">When the origin was asked last.</param>
    /// <param name="ETag">In the form of the verb by which it was learned (pelican-servers.md 6.1).</param>
    private sealed record Kept(bool Whole, DateTimeOffset Since, DateTimeOffset Checked, string ETag);
}
