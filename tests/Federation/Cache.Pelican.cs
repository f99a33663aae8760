using System.Globalization;
using System.Text.Json.Nodes;

namespace Pelican.Federation;

/// <summary>What Pelican's own caches do otherwise; the numbers are sections of pelican-servers.md.</summary>
public sealed partial class Cache
{
    private static readonly string[] DigestsKept = ["md5", "crc32c", "crc32", "sha"];

    /// <summary>How long nothing is asked of the origin (11.1).</summary>
    public TimeSpan Fresh { get; set; } = TimeSpan.FromHours(23);

    /// <summary>Base URL of the federation's discovery, which the path of a cache in one process with it has in it (1).</summary>
    internal void Serve(string discoveryHost) => Prefix = Dialect.IsXrootd ? "" : "/api/v1.0/cache/data/" + discoveryHost;

    /// <summary>Names the origins as the director does: what a cache does not have, it says by the director's redirect (9).</summary>
    internal Func<Request, Reply>? Director { get; set; }

    private protected override bool ServesPages => false;

    /// <summary>The router's redirect is the director's business: a cache knows no exports.</summary>
    private protected override Reply AddSlash(Request request) => request.Method switch
    {
        "PROPFIND" => ToOrigin(request),
        "PUT" => Failure(request, 409, "create", request.Path, ""),
        "DELETE" => Failure(request, 405, "remove", request.Path, ""),
        _ => Failure(request, 405, "open", request.Path, ""),
    };

    private protected override Reply NoNamespace(Request request, string path) =>
        Refusal(request, request.Headers["Authorization"] is null ? "no token provided" : "token validation failed");

    private protected override Reply Denied(Request request, string path, Access access)
    {
        if (Dialect.IsXrootd)
        {
            return base.Denied(request, path, access);
        }

        (bool sent, bool valid) = Namespace(path) is { } ns ? TokenOf(request, ns) : default;
        return Refusal(request, !sent ? "no token provided"
            : !valid ? "token validation failed" : $"token scopes insufficient for {TokenCheck.ScopeOf(access)} on {path}");
    }

    /// <summary>JSON that passes on what the origin said.</summary>
    private protected override Reply Failure(Request request, int status, string verb, string path, string text)
    {
        if (Dialect.IsXrootd)
        {
            return base.Failure(request, status, verb, path, text);
        }

        string reason = Reasons.Of(status);
        int told = status == 404 && request.Method == "HEAD" && OriginOf(path).IsBelowObject(path) ? 500 : status;
        return Json(told, "detail", $"transfer error: failed download from {origins[0].Host}: request failed (HTTP status {status}): {reason}: server returned {status} {reason}", reason);
    }

    /// <summary>Age and digests of what it has; a HEAD of what it has not, whole, has less (4, 5.3).</summary>
    private protected override void Describe(Request request, Reply reply, string path, FileInfo file, int? age)
    {
        _kept.TryGetValue(path, out Kept? kept);
        bool isHead = request.Method == "HEAD";
        bool partly = kept is { Whole: false };
        reply.Headers["X-Content-Type-Options"] = "nosniff";
        reply.Headers["Age"] = age?.ToString(CultureInfo.InvariantCulture);
        reply.Headers["ETag"] = kept?.ETag;
        reply.Headers["Digest"] = partly || !HasDigests ? null
            : string.Join(", ", DigestsKept.Select(name => $"{name}={Checksums.Text(name, Digest(path, file, name))}"));
        reply.Headers["Cache-Control"] = kept is null ? "no-cache, must-revalidate"
            : string.Create(CultureInfo.InvariantCulture, $"max-age={(long)(Fresh - (Clock.GetUtcNow() - kept.Checked)).TotalSeconds}");
        if (isHead)
        {
            reply.Headers["Last-Modified"] = reply.Headers["Content-Type"] = null;
        }
        else
        {
            AddTrailer(request, reply);
        }
    }

    /// <summary>HEAD takes no conditions; GET compares with its own tag (6.1).</summary>
    private protected override int? StatusByConditions(Request request, Reply reply, FileInfo file)
    {
        if (request.Method == "HEAD")
        {
            return null;
        }

        bool matches = request.Headers["If-Match"] == reply.Headers["ETag"];
        return base.StatusByConditions(request, reply, file) is { } status && !(status == 412 && matches) ? status : null;
    }

    private protected override bool IfRangeHolds(Request request, Reply reply) =>
        base.IfRangeHolds(request, reply) || request.Headers["If-Range"] == reply.Headers["ETag"];

    /// <summary>HEAD is always whole (6.3).</summary>
    private protected override void ApplyRanges(Request request, Reply reply, FileInfo file, string range)
    {
        if (request.Method == "GET")
        {
            base.ApplyRanges(request, reply, file, range);
        }
    }

    /// <summary>An object that is cached is described here, by the federation's path; all else is the origin's (9).</summary>
    private protected override Reply? PassOn(Request request, string path) => Dialect.IsXrootd ? null
        : request.Method switch
        {
            "PROPFIND" => Cached(path) is not null && request.Headers["Depth"] is null or "0" ? null : ToOrigin(request),
            "DELETE" when !OriginOf(path).IsUp => new Reply(504),
            _ => null,
        };

    private protected override string HrefPrefix(Request request) => "";

    /// <summary>A PUT is the origin's, without its conditions, and drops the copy (4).</summary>
    private protected override async Task<Reply?> PutElsewhereAsync(Request request, CancellationToken cancellationToken)
    {
        if (Dialect.IsXrootd)
        {
            return null;
        }

        if (!OriginOf(request.Path).IsUp)
        {
            return new Reply(504);
        }

        request.Headers["If-None-Match"] = null;
        Reply reply = await OriginOf(request.Path).AnswerForAsync(request, cancellationToken);
        Evict(request.Path);
        return reply;
    }

    private static Reply Json(int status, string key, string detail, string error) =>
        Reply.Json(status, new JsonObject { [key] = detail, ["error"] = error }.ToJsonString());

    private static Reply Refusal(Request request, string detail) =>
        Json(403, request.Method is "PROPFIND" or "PUT" or "DELETE" ? "reason" : "detail", detail, "authorization_denied");

    private Reply ToOrigin(Request request) => Director?.Invoke(request) ?? Failure(request, 404, "locate", request.Path, "");

    private Reply OriginDownLikePelican(Request request)
    {
        if (request.Method == "HEAD")
        {
            return Json(504, "detail", "origin connection error", "upstream_connection_error");
        }

        string text = $"failed download from {origins[0].Host}: Contact.ConnectionSetup Error: Error code 3006: failed connection setup";
        if (_kept.TryGetValue(request.Path, out Kept? kept) && !kept.Whole)
        {
            Reply cut = new(200) { StopAfter = 0, Ending = Ending.Close };
            cut.Headers["ETag"] = kept.ETag;
            AddTrailer(request, cut);
            cut.Ending = cut.Chunked ? Ending.Orderly : Ending.Close;
            cut.Headers["Content-Length"] = cut.Chunked ? null : new FileInfo(OriginOf(request.Path).FileOf(request.Path)).Length.ToString(CultureInfo.InvariantCulture);
            cut.Trailers["X-Transfer-Status"] = "500: failed to fetch blocks 1-7: transfer error: " + text;
            return cut;
        }

        return Json(500, "detail", "transfer error: " + text, "internal_error");
    }

    private Found KeepBlocks(string path, FileInfo file)
    {
        Kept kept = new(false, Clock.GetUtcNow(), Clock.GetUtcNow(), PropertyETag(file));
        _kept.TryAdd(path, kept);
        return new Found(file);
    }

    private bool IsStale(Kept kept) => !Dialect.IsXrootd && Clock.GetUtcNow() - kept.Checked >= Fresh;

    /// <summary>The same object goes on being as old as it is; another one is fetched (16.3).</summary>
    private bool Revalidate(string path, Kept kept)
    {
        Origin origin = OriginOf(path);
        FileInfo there = new(origin.FileOf(path));
        FileInfo here = new(FileOf(path));
        bool same = origin.IsUp && there.Exists && there.Length == here.Length && there.LastWriteTimeUtc == here.LastWriteTimeUtc;
        if (same)
        {
            _kept[path] = kept with { Checked = Clock.GetUtcNow() };
        }
        else
        {
            Evict(path);
        }

        return same;
    }
}
