using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>The routes of the API.</summary>
internal static class ClientApi
{
    /// <summary>Base paths: the specification's, and that of today's servers.</summary>
    public static IReadOnlyList<string> Bases { get; } = ["/api/v1/xfer", "/api/v1.0/transfer-agent"];

    /// <summary>Maps everything under all base paths.</summary>
    /// <param name="routes">Where to.</param>
    /// <param name="jobs">The jobs.</param>
    /// <param name="client">The federation.</param>
    /// <param name="logs">Where log messages go.</param>
    public static void MapClientApi(this ApiRouter routes, JobTable jobs, FederationClient client, ILoggerFactory logs)
    {
        ILogger logger = logs.CreateLogger(typeof(ClientApi).FullName!);
        JobEndpoints job = new(jobs);
        HistoryEndpoints history = new(jobs);
        FileEndpoints file = new(jobs, client);
        foreach (string at in Bases)
        {
            Map($"{at}/jobs", (HttpMethods.Get, job.ListAsync), (HttpMethods.Post, job.CreateAsync));
            Map($"{at}/jobs/{{id}}", (HttpMethods.Get, job.ShowAsync), (HttpMethods.Delete, job.CancelAsync));
            Map($"{at}/jobs/{{id}}/events", (HttpMethods.Get, job.EventsAsync));
            Map($"{at}/jobs/{{id}}/transfers/{{transfer}}", (HttpMethods.Get, job.ShowTransferAsync));
            Map($"{at}/history", (HttpMethods.Get, history.ListAsync), (HttpMethods.Delete, history.PruneAsync));
            Map($"{at}/history/{{id}}", (HttpMethods.Delete, history.RemoveAsync));
            Map($"{at}/stat", (HttpMethods.Post, file.StatAsync));
            Map($"{at}/list", (HttpMethods.Post, file.ListAsync));
            Map($"{at}/delete", (HttpMethods.Post, file.DeleteAsync));
        }

        void Map(string path, params (string Method, Func<HttpContext, Task<IResult>> Handler)[] handlers) =>
            routes.Map(path, [.. handlers.Select(handler => (handler.Method, ApiErrors.Guard(handler.Handler, logger)))]);
    }
}
