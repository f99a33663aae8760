using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Pelican.ClientApi;
using Pelican.Json;
using Pelican.Transfer;

namespace Pelican.Server;

/// <summary>Answers of the API, and what becomes of faults: the one edge of its requests.</summary>
internal static partial class ApiErrors
{
    /// <summary>Values of <c>code</c> that no row of the error table stands for.</summary>
    private const string InvalidRequest = "INVALID_REQUEST";

    /// <summary>A JSON answer.</summary>
    public static IResult Json<T>(T body, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) =>
        Json(JsonSerializer.SerializeToUtf8Bytes(body, type), status);

    /// <summary>A JSON answer that is written already.</summary>
    public static IResult Json(byte[] body, int status) => new JsonAnswer(body, status);

    /// <summary>An answer that is an error.</summary>
    public static IResult Error(int status, string message, string code, bool retryable = false, string? detail = null) =>
        Json(new ApiError(message, code, retryable, detail), PelicanJson.Output.ApiError, status);

    /// <summary>400 for a request that makes no sense.</summary>
    public static IResult Invalid(string message) => Error(StatusCodes.Status400BadRequest, message, InvalidRequest);

    /// <summary>404 for a job, or anything else that is not there.</summary>
    public static IResult NotFound(string message, string? detail = null) => Error(StatusCodes.Status404NotFound, message, Errors.NotFound.ApiCode, detail: detail);

    /// <summary>409.</summary>
    public static IResult Conflict(string message, string? detail = null) => Error(StatusCodes.Status409Conflict, message, Errors.AlreadyExists.ApiCode, detail: detail);

    /// <summary>422 for an idempotency key that was used for something else.</summary>
    public static IResult KeyReused() => Error(StatusCodes.Status422UnprocessableEntity,
        "the Idempotency-Key was used for another request", InvalidRequest, detail: "Use a new key for a new request.");

    /// <summary>405 for a path that has other methods.</summary>
    public static RequestDelegate MethodNotAllowed(string allowed) => context =>
    {
        context.Response.Headers.Allow = allowed;
        return Error(StatusCodes.Status405MethodNotAllowed,
            $"{context.Request.Method} is not possible for {Shown(context)}", InvalidRequest, detail: $"Possible are {allowed}.").ExecuteAsync(context);
    };

    /// <summary>404 for a path that leads to nothing.</summary>
    public static Task UnknownPath(HttpContext context) =>
        NotFound($"there is nothing at {Shown(context)}").ExecuteAsync(context);

    // Whatever has the shape of a token stays out of errors.
    private static string Shown(HttpContext context) => context.Request.Path.Value is { Length: > 0 } path ? new Redactor().Redact(path) : "*";

    /// <summary>Runs a handler, and answers with whatever goes wrong.</summary>
    /// <param name="handler">Answers where nothing does.</param>
    /// <param name="redactor">Takes tokens out of errors.</param>
    /// <param name="logger">Learns of faults.</param>
    public static RequestDelegate Guard(Func<HttpContext, Task<IResult>> handler, Redactor redactor, ILogger logger) => async context =>
    {
        IResult result;
        (string method, string path) = (context.Request.Method, context.Request.Path.Value ?? "");
        try
        {
            result = await handler(context);
        }
        catch (PelicanException e)
        {
            Log.Refused(logger, method, path, e.Message);
            result = Error(e.Row.HttpStatus, redactor.Redact(e.Message), e.Row.ApiCode, e.Retryable, e.NextStep is { } step ? redactor.Redact(step) : null);
        }
        catch (BadHttpRequestException e)
        {
            // A body over the limit, or one that breaks off.
            result = Error(e.StatusCode, e.StatusCode == StatusCodes.Status413PayloadTooLarge ? ApiRequest.TooLarge : e.Message, InvalidRequest);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to answer.
            return;
        }
        catch (OperationCanceledException)
        {
            result = Error(StatusCodes.Status409Conflict, "the server stops, and the operation with it", "CANCELLED", retryable: true);
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            Log.Broken(logger, e, method, path);
            result = Error(Errors.Internal.HttpStatus, "internal error; the log of the server says more", Errors.Internal.ApiCode);
        }

        await result.ExecuteAsync(context);
    };

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} {Path}: {Fault}")]
        public static partial void Refused(ILogger logger, string method, string path, string fault);

        [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} met a fault of this program.")]
        public static partial void Broken(ILogger logger, Exception fault, string method, string path);
    }
}
