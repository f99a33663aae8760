namespace Pelican.ClientApi;

/// <summary>Why there is no answer, or none that was hoped for.</summary>
public enum ApiFault
{
    /// <summary>Nobody listens at the socket.</summary>
    NotRunning,

    /// <summary>The socket is there, but not for this user.</summary>
    Denied,

    /// <summary>There can be no connection to the socket, for some other reason.</summary>
    Unreachable,

    /// <summary>The connection broke before the answer was there.</summary>
    Broken,

    /// <summary>The server took no connection, or sent no answer, in its time.</summary>
    TimedOut,

    /// <summary>What answers is not this API.</summary>
    Foreign,

    /// <summary>The server refused the request: <see cref="ApiException.Code"/> tells why.</summary>
    Refused,
}

/// <summary>A request to the Client API server that failed.</summary>
/// <param name="fault">Kind of failure.</param>
/// <param name="message">One line: what happened.</param>
/// <param name="inner">The cause; null for none.</param>
public sealed class ApiException(ApiFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Kind of failure.</summary>
    public ApiFault Fault { get; } = fault;

    /// <summary>The server's <c>code</c>, such as <c>NOT_FOUND</c>; null unless <see cref="ApiFault.Refused"/>.</summary>
    public string? Code { get; init; }

    /// <summary>Status of the HTTP answer; null when there was none.</summary>
    public int? Status { get; init; }

    /// <summary>Whether the same request can succeed later.</summary>
    public bool Retryable { get; init; } = fault is ApiFault.Broken or ApiFault.TimedOut;

    /// <summary>What to do next, a sentence; null when there is nothing to say.</summary>
    public string? Detail { get; init; }

    internal static ApiException Invalid(string message, string detail) => new(ApiFault.Refused, message) { Code = "INVALID_REQUEST", Detail = detail };
}
