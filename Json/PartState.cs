namespace Pelican.Json;

/// <summary>What the bytes in a part file came from; written beside it so that a later run can go on from there.</summary>
/// <param name="Url">Object URL, without query.</param>
/// <param name="Size">Bytes of the whole object, as the server has it that sent them.</param>
/// <param name="Modified">Time of that version at the origin; null when it is not known.</param>
/// <param name="ETag">ETag of the sender's answer to GET where it is a real one; null otherwise.</param>
/// <param name="Holder">Who wrote the bytes; null in a note of an earlier release.</param>
internal sealed record PartState(string Url, long Size, DateTimeOffset? Modified = null, string? ETag = null, PartHolder? Holder = null)
{
    /// <summary>Host and port of the server that sent all of it; null when several did, or when it is not known.</summary>
    public string? Server { get; init; }

    /// <summary>Whether all of it is of one version for certain; if not, only a digest of the whole will do once it is continued.</summary>
    public bool OneVersion { get; init; }
}

/// <summary>Who wrote a part.</summary>
/// <param name="Boot">Run of its host; empty where unknown.</param>
/// <param name="Process">Its number there.</param>
/// <param name="Started">When it started, in clock ticks since the host did.</param>
/// <param name="Name">Name of the part, where it is not the one that the note is beside.</param>
/// <param name="Synced">Bytes that were on the disk when it was left; what came after them may be lost with a power failure.</param>
/// <param name="Released">Whether it has left the part for good.</param>
internal sealed record PartHolder(string Boot, int Process, long? Started, string? Name = null, long Synced = 0, bool Released = false);
