using Microsoft.AspNetCore.Http;

namespace Pelican.Server;

/// <summary>An answer in JSON. Whole, with its length: one write, and clients of HTTP/1.0 know where it ends.</summary>
/// <param name="body">What it says.</param>
/// <param name="status">Status of HTTP.</param>
internal sealed class JsonAnswer(byte[] body, int status) : IResult
{
    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        HttpResponse response = httpContext.Response;
        response.StatusCode = status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        // Who left meanwhile gets nothing, and that is no fault.
        return response.Body.WriteAsync(body, CancellationToken.None).AsTask();
    }
}
