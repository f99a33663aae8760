using System.Globalization;
using System.Text;

namespace Pelican.Federation;

/// <summary>The usual faults. They combine: several can strike one request.</summary>
public static class FaultAction
{
    /// <summary>Answers this instead of asking the server. The request's body is not read.</summary>
    public static FaultScript Answer(int status, string body = "", params (string Name, string Value)[] headers) =>
        (_, _, _) => Task.FromResult(With(new Reply(status, body), headers));

    /// <summary>Answers this after reading the request's body, without having stored it.</summary>
    public static FaultScript AnswerAfterBody(int status, string body = "", params (string Name, string Value)[] headers) =>
        async (request, _, cancellationToken) =>
        {
            await request.Body.CopyToAsync(Stream.Null, cancellationToken);
            return With(new Reply(status, body), headers);
        };

    /// <summary>429 as Pelican's caches say it (federation-protocol 3.5, 6.10).</summary>
    public static FaultScript Throttle(string reason, int? retryAfterSeconds) => (_, _, _) =>
    {
        Reply reply = Reply.Json(429, $$"""{"error":"{{reason}}","detail":"try again later"}""");
        reply.Headers["Retry-After"] = retryAfterSeconds?.ToString(CultureInfo.InvariantCulture);
        return Task.FromResult(reply);
    };

    /// <summary>Redirects the client.</summary>
    public static FaultScript Redirect(Uri target, int status = 307) => Answer(status, "", ("Location", target.AbsoluteUri));

    /// <summary>Ends the connection without an answer and without asking the server.</summary>
    public static FaultScript NoAnswer(Ending ending = Ending.Close) =>
        (_, _, _) => Task.FromResult(new Reply(0) { Unanswered = true, Ending = ending });

    /// <summary>Lets the server do its work, then ends the connection without an answer: nobody knows what happened.</summary>
    public static FaultScript LoseAnswer(Ending ending = Ending.Close) => Spoil((_, reply) =>
    {
        reply.Unanswered = true;
        reply.Ending = ending;
    });

    /// <summary>Waits at the gate before the server is asked.</summary>
    public static FaultScript Delay(Gate gate) => async (_, next, cancellationToken) =>
    {
        await gate.TakeAsync(1, cancellationToken);
        return await next();
    };

    /// <summary>Stops the body after some bytes. <see cref="Ending.Orderly"/> makes a cut chunked body well formed.</summary>
    public static FaultScript CutAfter(long bytes, Ending ending) => Spoil((_, reply) =>
    {
        reply.StopAfter = bytes;
        reply.Ending = ending;
    });

    /// <summary>Lets the body through as the gate says; a gate that nobody opens is a stall.</summary>
    public static FaultScript Hold(Gate gate) => Spoil((_, reply) => reply.Gate = gate);

    /// <summary>Sends a body cut after some bytes with a well-formed end and this trailer, where trailers are in use.</summary>
    public static FaultScript FailInTrailer(string status, long bytes) => Spoil((_, reply) =>
    {
        reply.StopAfter = bytes;
        reply.Trailers["X-Transfer-Status"] = status;
    });

    /// <summary>Sends a chunked answer without the trailer that was asked for.</summary>
    public static FaultScript NoTrailer() => Spoil((_, reply) => reply.Trailers["X-Transfer-Status"] = null);

    /// <summary>Flips the bits of the byte at this offset of the body.</summary>
    public static FaultScript FlipByte(long offset) => Spoil((_, reply) => reply.FlipAt = offset);

    /// <summary>Replaces a header of the answer; null removes it. Works for Content-Length, Content-Range, ETag, Digest, Age …</summary>
    public static FaultScript Header(string name, string? value) => Spoil((_, reply) => reply.Headers[name] = value);

    /// <summary>Serves the whole object with 200 whatever range was asked.</summary>
    public static FaultScript IgnoreRange() => (request, next, _) =>
    {
        request.RangeIgnored = true;
        return next();
    };

    /// <summary>200 with an empty body (xrootd.md 12.3.3).</summary>
    public static FaultScript EmptyObject() => Spoil((_, reply) => reply.SetBody([]));

    /// <summary>
    /// Keeps status and headers but sends the text of an error answer as the body, up to the promised length
    /// (xrootd.md 3.8); where more was promised the connection closes.
    /// </summary>
    public static FaultScript ErrorAnswerAsBody() => Spoil((_, reply) =>
    {
        const string Text = "Unable to read; connection refused";
        string answer = $"HTTP/1.1 500 Internal Server Error\r\nConnection: Close\r\nContent-Length: {Text.Length}\r\n\r\n{Text}";
        reply.Headers["Content-Length"] = reply.Length.ToString(CultureInfo.InvariantCulture);
        reply.SetBody(Encoding.ASCII.GetBytes(answer)[..(int)Math.Min(answer.Length, reply.Length)]);
    });

    /// <summary>A refusal as Pelican's own servers send it: after some of the body, without a <c>100</c>, and then the connection ends (pelican-servers.md 7.5).</summary>
    public static FaultScript RefuseLate(int status, string body = "") => async (request, _, cancellationToken) =>
    {
        Reply reply = new(status, body);
        await ObjectServer.RefuseLateAsync(request, reply, cancellationToken);
        return reply;
    };

    /// <summary>Takes some bytes of the request's body, then ends the connection; the server treats it as a client that left.</summary>
    public static FaultScript CutUploadAfter(long bytes, Ending ending) => async (request, next, _) =>
    {
        request.Body = new CutStream(request.Body, bytes);
        try
        {
            return await next();
        }
        catch (UploadCutException)
        {
            return new Reply(0) { Unanswered = true, Ending = ending };
        }
    };

    /// <summary>Takes the request's body only as the gate allows.</summary>
    public static FaultScript HoldUpload(Gate gate) => (request, next, _) =>
    {
        request.Body = new GatedStream(request.Body, gate);
        return next();
    };

    /// <summary>A token hint: 401 or 403 with the <c>X-Pelican-*</c> headers of a server that answers for itself (2.11.3).</summary>
    public static FaultScript TokenHint(int status, string prefix, Uri issuer) => Answer(
        status, "", ("X-Pelican-Namespace", $"namespace={prefix}, require-token=true"),
        ("X-Pelican-Authorization", $"issuer={issuer.OriginalString}"),
        ("X-Pelican-Token-Generation", $"issuer={issuer.OriginalString}, max-scope-depth=2, strategy=OAuth2"));

    /// <summary>The stream of a third-party copy: markers, one for each byte count, then the last line if any (xrootd.md 11).</summary>
    public static FaultScript CopyStream(int status, string? verdict, params long[] transferred) => (_, _, _) =>
    {
        StringBuilder text = new();
        foreach (long bytes in transferred)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"Perf Marker\nTimestamp: 1795478856\nStripe Index: 0\nStripe Bytes Transferred: {bytes}\nTotal Stripe Count: 1\nEnd\n");
        }

        return Task.FromResult(new Reply(status, text.Append(verdict).ToString(), "text/plain") { Chunked = true });
    };

    /// <summary>Changes what the server answers.</summary>
    public static FaultScript Spoil(Action<Request, Reply> spoil) => async (request, next, _) =>
    {
        Reply reply = await next();
        spoil(request, reply);
        return reply;
    };

    private static Reply With(Reply reply, (string Name, string Value)[] headers)
    {
        foreach ((string name, string value) in headers)
        {
            reply.Headers.Add(name, value);
        }

        return reply;
    }
}
