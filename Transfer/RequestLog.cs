using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Pelican.Transfer;

/// <summary>Tells of each request what was asked of whom, and what came: for <c>--debug</c>.</summary>
internal sealed partial class RequestLog : DelegatingHandler
{
    private readonly ILogger _log;
    private readonly TimeProvider _clock;

    private RequestLog(HttpMessageHandler sender, ILogger log, TimeProvider clock)
        : base(sender) => (_log, _clock) = (log, clock);

    /// <summary>Puts it over a sender; costs nothing where nobody wants details.</summary>
    /// <param name="sender">What sends.</param>
    /// <param name="log">Where it is told; takes secrets out.</param>
    /// <param name="clock">Time.</param>
    public static HttpMessageHandler Over(HttpMessageHandler sender, ILogger log, TimeProvider clock) =>
        log.IsEnabled(LogLevel.Debug) ? new RequestLog(sender, log, clock) : sender;

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        long start = _clock.GetTimestamp();
        string url = request.RequestUri!.AbsoluteUri;
        string sent = request.Content?.Headers.ContentLength is { } length ? string.Create(CultureInfo.InvariantCulture, $", {length} bytes sent") : "";
        try
        {
            HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
            string bytes = response.Content.Headers.ContentLength?.ToString(CultureInfo.InvariantCulture) ?? "an unknown number of";
            string took = Milliseconds(start);
            Log.Answered(_log, request.Method, url, (int)response.StatusCode, took, sent, bytes);
            return response;
        }
        catch (Exception e) when (Tell(e, request, url, sent, start)) // which is never: it is dealt with further up
        {
            throw;
        }
    }

    private bool Tell(Exception error, HttpRequestMessage request, string url, string sent, long start)
    {
        (string took, string type) = (Milliseconds(start), error.GetType().Name);
        Log.Unanswered(_log, request.Method, url, took, sent, type, error.Message);
        return false;
    }

    private string Milliseconds(long start) => _clock.GetElapsedTime(start).TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture);

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} {Url}: status {Status} after {Milliseconds} ms{Sent}, {Bytes} bytes announced")]
        public static partial void Answered(ILogger log, HttpMethod method, string url, int status, string milliseconds, string sent, string bytes);

        [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} {Url}: no answer after {Milliseconds} ms{Sent}: {Type}: {Why}")]
        public static partial void Unanswered(ILogger log, HttpMethod method, string url, string milliseconds, string sent, string type, string why);
    }
}
