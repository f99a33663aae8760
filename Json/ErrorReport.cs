namespace Pelican.Json;

/// <summary>An error where a result would have been, with <c>--json</c>.</summary>
/// <param name="Error">What happened, one line.</param>
/// <param name="Name">Name of the error in the table, e.g. <c>Transfer.ChecksumMismatch</c>.</param>
/// <param name="Code">Its number.</param>
/// <param name="Retryable">Whether the same command can succeed later.</param>
/// <param name="NextStep">What can be done about it; absent when there is nothing to say.</param>
/// <param name="Source">Object or file it is about; absent when it is about the command as a whole.</param>
/// <param name="RetryAfterSeconds">Wait that the server asked for; absent when it asked for none.</param>
/// <param name="Attempts">What was tried, oldest first.</param>
internal sealed record ErrorReport(
    string Error,
    string Name,
    int Code,
    bool Retryable,
    string? NextStep,
    string? Source,
    double? RetryAfterSeconds,
    IReadOnlyList<AttemptReport> Attempts);
