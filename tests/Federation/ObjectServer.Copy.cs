using System.Globalization;
using System.Net;

namespace Pelican.Federation;

/// <summary>COPY, the third-party copy: pull and push (xrootd.md 11).</summary>
public abstract partial class ObjectServer
{
    private const string HeaderForOther = "TransferHeader";

    private async Task<Reply> CopyAsync(Request request, FederationNamespace ns, ObjectName name, CancellationToken cancellationToken)
    {
        string? source = request.Headers["Source"];
        string? destination = request.Headers["Destination"];
        if (!HasCopy)
        {
            return new Reply(Dialect.InodeETag ? 501 : 400, "Request unknown") { Close = true };
        }

        if (source is null && destination is null)
        {
            return Failure(request, 400, "copy", name.Path, "neither source nor destination");
        }

        if (!Allows(request, ns, name.Path, source is null ? Access.Read : File.Exists(FileOf(name.Path)) ? Access.Modify : Access.Create))
        {
            return Failure(request, Dialect.CopyDeniedStatus, "open", name.Path, "permission denied");
        }

        if (source is null)
        {
            return File.Exists(FileOf(name.Path))
                ? await PushAsync(request, name.Path, destination!, cancellationToken)
                : Failure(request, Dialect.InodeETag ? 500 : 400, "open", name.Path, "no such file or directory");
        }

        return RefuseWrite(request, name.Path) is { } refusal ? refusal
            : request.Headers["Overwrite"] == "F" && File.Exists(FileOf(name.Path))
                ? Failure(request, Dialect.CopyOverwriteStatus, "open", name.Path, "file exists")
                : await PullAsync(request, name.Path, source, cancellationToken);
    }

    /// <summary>A pull that fails leaves a part under the final name; 5.5 empties it even before it asks (xrootd.md 11.3).</summary>
    private async Task<Reply> PullAsync(Request request, string path, string source, CancellationToken cancellationToken)
    {
        using HttpRequestMessage question = ForOther(request, HttpMethod.Get, source);
        try
        {
            using HttpResponseMessage answer =
                await _client.SendAsync(question, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (!answer.IsSuccessStatusCode && !Dialect.OldDigests)
            {
                return Failure(request, Dialect.InodeETag ? (int)answer.StatusCode : 500, "copy", path,
                    $"Remote side failed with status code {(int)answer.StatusCode} while fetching remote size");
            }

            Directory.CreateDirectory(Path.GetDirectoryName(FileOf(path))!);
            await using FileStream file = new(FileOf(path), FileMode.Create);
            if (!answer.IsSuccessStatusCode)
            {
                return Verdict(0, $"failure: Remote side failed with status code {(int)answer.StatusCode}; error message: \"refused\"");
            }

            await answer.Content.CopyToAsync(file, cancellationToken);
            return Verdict(file.Length, "success: Created");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return Verdict(0, "failure: Internal transfer failure");
        }
    }

    private async Task<Reply> PushAsync(Request request, string path, string destination, CancellationToken cancellationToken)
    {
        using HttpRequestMessage question = ForOther(request, HttpMethod.Put, destination);
        await using FileStream file = File.OpenRead(FileOf(path));
        question.Content = new StreamContent(file);
        try
        {
            using HttpResponseMessage answer = await _client.SendAsync(question, cancellationToken);
            return answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created
                ? Verdict(file.Length, "success: Created")
                : Verdict(0, $"failure: Remote side failed with status code {(int)answer.StatusCode}");
        }
        catch (HttpRequestException)
        {
            return Verdict(0, "failure: Internal transfer failure");
        }
    }

    private static HttpRequestMessage ForOther(Request request, HttpMethod method, string url)
    {
        HttpRequestMessage question = new(method, url);
        foreach ((string name, string value) in request.Headers)
        {
            if (name.StartsWith(HeaderForOther, StringComparison.OrdinalIgnoreCase))
            {
                question.Headers.TryAddWithoutValidation(name[HeaderForOther.Length..], value);
            }
        }

        return question;
    }

    private Reply Verdict(long bytes, string lastLine)
    {
        string marker = string.Create(CultureInfo.InvariantCulture, $"""
            Perf Marker
            Timestamp: {Clock.GetUtcNow().ToUnixTimeSeconds()}
            Stripe Index: 0
            Stripe Bytes Transferred: {bytes}
            Total Stripe Count: 1
            End

            """);
        return new Reply(Dialect.CopyStatus, marker + lastLine, "text/plain") { Chunked = true };
    }
}
