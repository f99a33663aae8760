namespace Pelican.Json;

/// <summary>What the bytes in a part file came from; written beside it so that a later run can go on from there.</summary>
/// <param name="Url">Object URL, without query.</param>
/// <param name="Size">Bytes of the whole object.</param>
/// <param name="Modified">Modification time as the server gave it; null when it gave none.</param>
/// <param name="ETag">The server's ETag where it is a real one; null otherwise.</param>
internal sealed record PartState(string Url, long Size, DateTimeOffset? Modified = null, string? ETag = null);
