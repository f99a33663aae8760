namespace Pelican.Transfer;

/// <summary>
/// A fault that ends an operation, with its row of the error table. Caught only at the edges: the command line,
/// one endpoint filter, the job runner.
/// </summary>
/// <param name="row">What kind of fault it is.</param>
/// <param name="message">One line: what happened, to which object, at which server; no secrets.</param>
/// <param name="nextStep">What the user can do about it, a sentence of its own; null when there is nothing to say.</param>
/// <param name="inner">The cause, for <c>--debug</c>.</param>
internal sealed class PelicanException(ErrorRow row, string message, string? nextStep = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>The row of the error table.</summary>
    public ErrorRow Row { get; } = row;

    /// <summary>What the user can do about it; null when there is nothing to say.</summary>
    public string? NextStep { get; } = nextStep;

    /// <summary>Whether the same request can succeed later; for several attempts, only if all of them are.</summary>
    public bool Retryable { get; init; } = row.Retryable;

    /// <summary>
    /// Whether a director knows nothing of what it knew some hours ago: it says so while servers restart. Who can wait should
    /// wait some minutes; for who has typed a path it is not there.
    /// </summary>
    public bool ServersMayBeDown { get; init; }

    /// <summary>The wait the server asked for; null when it asked for none.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What was tried before this was given up, oldest first; empty when nothing was.</summary>
    public IReadOnlyList<Attempt> Attempts { get; init; } = [];

    /// <summary>Whether it is a director's word that there is no such object, or no namespace for it.</summary>
    public bool IsOfDirector { get; init; }

    /// <summary>The same in other words.</summary>
    public PelicanException With(string message, string? nextStep, IReadOnlyList<Attempt>? attempts = null) => new(Row, message, nextStep, this)
    {
        Retryable = Retryable,
        ServersMayBeDown = ServersMayBeDown,
        IsOfDirector = IsOfDirector,
        RetryAfter = RetryAfter,
        Attempts = attempts ?? Attempts,
    };

    /// <summary>Exit status of a process that ends with this error.</summary>
    public int ExitStatus => Retryable ? Errors.RetryableExitStatus : Row.ExitStatus;
}
