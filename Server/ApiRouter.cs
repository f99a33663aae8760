using Microsoft.AspNetCore.Http;

namespace Pelican.Server;

/// <summary>Which handler answers a request: by path and method, exactly. A place in braces takes one segment, and is a route value.</summary>
internal sealed class ApiRouter
{
    private readonly List<Route> _routes = [];

    /// <summary>Adds a path.</summary>
    /// <param name="path">Segments, those of routes added earlier first where both fit.</param>
    /// <param name="handlers">What answers, by method.</param>
    public void Map(string path, params (string Method, RequestDelegate Handler)[] handlers) =>
        _routes.Add(new Route(Segments(path), handlers, ApiErrors.MethodNotAllowed(
            string.Join(", ", handlers.Select(handler => handler.Method == HttpMethods.Get ? $"{HttpMethods.Get}, {HttpMethods.Head}" : handler.Method)))));

    /// <summary>Answers a request.</summary>
    public Task RouteAsync(HttpContext context)
    {
        string[] segments = Segments(context.Request.Path.Value ?? "");
        foreach (Route route in _routes)
        {
            if (Fits(route.Segments, segments))
            {
                for (int i = 0; i < segments.Length; i++)
                {
                    if (IsPlace(route.Segments[i]))
                    {
                        context.Request.RouteValues[route.Segments[i][1..^1]] = segments[i];
                    }
                }

                // What can be got can be asked for without its body.
                string method = HttpMethods.IsHead(context.Request.Method) ? HttpMethods.Get : context.Request.Method;
                return (Array.Find(route.Handlers, handler => HttpMethods.Equals(handler.Method, method)).Handler ?? route.Otherwise)(context);
            }
        }

        return ApiErrors.UnknownPath(context);
    }

    private static bool Fits(string[] route, string[] segments)
    {
        for (int i = 0; i < route.Length && route.Length == segments.Length; i++)
        {
            if (IsPlace(route[i]) ? segments[i].Length == 0 : !route[i].Equals(segments[i], StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }
        }

        return route.Length == segments.Length;
    }

    private static bool IsPlace(string segment) => segment.StartsWith('{');

    // A slash at the end says nothing.
    private static string[] Segments(string path) => (path.EndsWith('/') ? path[..^1] : path).Split('/');

    private sealed record Route(string[] Segments, (string Method, RequestDelegate Handler)[] Handlers, RequestDelegate Otherwise);
}
