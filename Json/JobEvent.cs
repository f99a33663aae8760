namespace Pelican.Json;

/// <summary>Data of an event of a job: <c>status</c> and <c>progress</c> as today's servers send them, and <c>transfer</c>.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Status">State of the job, or of the transfer; null in a <c>progress</c>.</param>
/// <param name="Error">Why it failed; null unless it did.</param>
/// <param name="BytesTransferred">Object bytes in place; null where that is not the point.</param>
/// <param name="TotalBytes">Bytes known to be wanted; null where that is not the point.</param>
/// <param name="TransferId">The transfer; null in an event of the job.</param>
internal sealed record JobEvent(
    string JobId, string? Status = null, string? Error = null, long? BytesTransferred = null, long? TotalBytes = null, string? TransferId = null);
