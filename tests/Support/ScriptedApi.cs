using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Pelican.Tests.Support;

/// <summary>A request that a <see cref="ScriptedApi"/> was sent.</summary>
/// <param name="Line">Method, path and query.</param>
/// <param name="Body">Its body; empty for none.</param>
/// <param name="Key">Its <c>Idempotency-Key</c>; empty for none.</param>
internal sealed record SeenRequest(string Line, string Body, string Key);

/// <summary>What a <see cref="ScriptedApi"/> answers.</summary>
/// <param name="Status">HTTP status; 0 to break the connection.</param>
/// <param name="Body">JSON, as the specification has it.</param>
internal sealed record ApiAnswer(int Status, string Body)
{
    /// <summary>No answer at all.</summary>
    public static readonly ApiAnswer Broken = new(0, "");
}

/// <summary>HTTP over a Unix socket with answers from a script: what a client makes of them.</summary>
internal sealed class ScriptedApi : IAsyncDisposable
{
    private readonly WebApplication _app;

    private ScriptedApi(WebApplication app) => _app = app;

    /// <summary>Everything that was asked, in order.</summary>
    public ConcurrentQueue<SeenRequest> Requests { get; } = [];

    /// <summary>Starts it.</summary>
    /// <param name="socket">Path of the socket; a file that is there goes.</param>
    /// <param name="answer">The answer to a request.</param>
    public static Task<ScriptedApi> StartAsync(string socket, Func<SeenRequest, ApiAnswer> answer) =>
        StartAsync(socket, (request, _) => Task.FromResult(answer(request)));

    /// <summary>The same, with answers that may take their time.</summary>
    public static async Task<ScriptedApi> StartAsync(string socket, Func<SeenRequest, CancellationToken, Task<ApiAnswer>> answer)
    {
        File.Delete(socket);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(socket));
        builder.Logging.ClearProviders();
        WebApplication app = builder.Build();
        ScriptedApi api = new(app);
        app.Run(async context =>
        {
            using StreamReader body = new(context.Request.Body);
            SeenRequest request = new(
                $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}",
                await body.ReadToEndAsync(context.RequestAborted),
                context.Request.Headers["Idempotency-Key"].ToString());
            api.Requests.Enqueue(request);
            ApiAnswer told = await answer(request, context.RequestAborted);
            if (told.Status == 0)
            {
                context.Abort();
                return;
            }

            context.Response.StatusCode = told.Status;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(told.Body, context.RequestAborted);
        });
        await app.StartAsync();
        return api;
    }

    /// <summary>A job of two transfers, as <c>GET jobs/{id}</c> shows it.</summary>
    public static string Job(string status, long sequence = 1, string more = "") => $$"""
        {
          "job_id": "550e8400-e29b-41d4-a716-446655440000",
          "status": "{{status}}",
          "created_at": "2025-10-29T10:30:00Z",
          "started_at": "2025-10-29T10:30:01Z",
          "progress": {
            "bytes_transferred": 4700000,
            "total_bytes": 10400000,
            "percentage": 45.2,
            "transfer_rate_mbps": 8.5,
            "transfers_completed": 1,
            "transfers_total": 2,
            "transfers_failed": 0
          },
          "transfers": [],
          "sequence": {{sequence}}{{more}}
        }
        """;

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
