using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>Who answers.</summary>
internal sealed record ApiHandlers(JobEndpoints Job, HistoryEndpoints History, FileEndpoints File);

/// <summary>One thing that can be asked of the API.</summary>
/// <param name="Method">Method of HTTP.</param>
/// <param name="Path">Path below a base.</param>
/// <param name="Handler">Who answers it.</param>
internal sealed record ApiRoute(string Method, string Path, Func<ApiHandlers, Func<HttpContext, Task<IResult>>> Handler);

/// <summary>The routes of the API.</summary>
internal static class ClientApi
{
    /// <summary>Base paths: the specification's, and that of today's servers.</summary>
    public static IReadOnlyList<string> Bases { get; } = ["/api/v1/xfer", "/api/v1.0/transfer-agent"];

    /// <summary>Everything that is there under all base paths.</summary>
    public static IReadOnlyList<ApiRoute> Routes { get; } =
    [
        new("GET", "/jobs", to => to.Job.ListAsync),
        new("POST", "/jobs", to => to.Job.CreateAsync),
        new("GET", "/jobs/{id}", to => to.Job.ShowAsync),
        new("DELETE", "/jobs/{id}", to => to.Job.CancelAsync),
        new("GET", "/jobs/{id}/events", to => to.Job.EventsAsync),
        new("GET", "/jobs/{id}/transfers/{transfer}", to => to.Job.ShowTransferAsync),
        new("GET", "/history", to => to.History.ListAsync),
        new("DELETE", "/history", to => to.History.PruneAsync),
        new("DELETE", "/history/{id}", to => to.History.RemoveAsync),
        new("POST", "/stat", to => to.File.StatAsync),
        new("POST", "/list", to => to.File.ListAsync),
        new("POST", "/delete", to => to.File.DeleteAsync),
    ];

    /// <summary>Maps everything under all base paths.</summary>
    /// <param name="routes">Where to.</param>
    /// <param name="jobs">The jobs.</param>
    /// <param name="client">The federation.</param>
    /// <param name="logs">Where log messages go.</param>
    public static void MapClientApi(this ApiRouter routes, JobTable jobs, FederationClient client, ILoggerFactory logs)
    {
        ILogger logger = logs.CreateLogger(typeof(ClientApi).FullName!);
        ApiHandlers handlers = new(new JobEndpoints(jobs), new HistoryEndpoints(jobs), new FileEndpoints(jobs, client));
        foreach (IGrouping<string, ApiRoute> path in Routes.GroupBy(route => route.Path))
        {
            foreach (string at in Bases)
            {
                routes.Map(at + path.Key, [.. path.Select(route => (route.Method, ApiErrors.Guard(route.Handler(handlers), jobs.RequestCheck.Redactor, logger)))]);
            }
        }

        routes.Map(OpenApi.Path, (HttpMethods.Get, context => ApiErrors.Json(OpenApi.Document(), StatusCodes.Status200OK).ExecuteAsync(context)));
    }
}
