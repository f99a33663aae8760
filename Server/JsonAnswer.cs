using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Pelican.Server;

/// <summary>An answer in JSON, in one piece.</summary>
/// <param name="body">What it says.</param>
/// <param name="type">How that is written.</param>
/// <param name="status">Status of HTTP.</param>
internal sealed class JsonAnswer<T>(T body, JsonTypeInfo<T> type, int status) : IResult
{
    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(body, type);
        HttpResponse response = httpContext.Response;
        response.StatusCode = status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = json.Length;
        return response.Body.WriteAsync(json, httpContext.RequestAborted).AsTask();
    }
}
