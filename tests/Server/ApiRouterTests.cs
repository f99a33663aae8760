using Microsoft.AspNetCore.Http;
using Pelican.Server;

namespace Pelican.Tests.Server;

public sealed class ApiRouterTests
{
    [Test]
    [Arguments("GET", "/jobs", "list ")]
    [Arguments("get", "/Jobs/", "list ")]
    [Arguments("POST", "/jobs", "create ")]
    [Arguments("GET", "/jobs/17", "show 17")]
    [Arguments("GET", "/jobs/17/events", "events 17")]
    public async Task A_request_is_answered_by_path_and_method(string method, string path, string expected)
    {
        await Assert.That((await AnswerAsync(method, path)).Answer).IsEqualTo(expected);
    }

    [Test]
    [Arguments("PUT", "/jobs", 405, "GET, HEAD, POST")]
    [Arguments("PUT", "/jobs/17", 405, "GET, HEAD")]
    [Arguments("GET", "/jobs//events", 404, "")]
    [Arguments("GET", "/jobs//", 404, "")]
    [Arguments("GET", "/jobs/17/events/1", 404, "")]
    [Arguments("GET", "/job", 404, "")]
    [Arguments("GET", "/", 404, "")]
    public async Task What_has_no_handler_is_refused(string method, string path, int status, string allowed)
    {
        (string? answer, HttpResponse response) = await AnswerAsync(method, path);

        await Assert.That(answer).IsNull();
        await Assert.That(response.StatusCode).IsEqualTo(status);
        await Assert.That(response.Headers.Allow.ToString()).IsEqualTo(allowed);
    }

    private static async Task<(string? Answer, HttpResponse Response)> AnswerAsync(string method, string path)
    {
        string? answer = null;
        ApiRouter routes = new();
        routes.Map("/jobs", ("GET", Say("list")), ("POST", Say("create")));
        routes.Map("/jobs/{id}", ("GET", Say("show")));
        routes.Map("/jobs/{id}/events", ("GET", Say("events")));
        DefaultHttpContext context = new() { Request = { Method = method, Path = path } };

        await routes.RouteAsync(context);
        return (answer, context.Response);

        RequestDelegate Say(string name) => context =>
        {
            answer = $"{name} {context.Request.RouteValues["id"]}";
            return Task.CompletedTask;
        };
    }
}
