using System.Text.Json.Serialization;

namespace Pelican.ClientApi;

/// <summary>Body of <c>POST jobs</c>: transfers that run one after another, and what goes for all of them.</summary>
/// <param name="Transfers">At least one.</param>
/// <param name="Options">Null for the defaults.</param>
public sealed record JobRequest(IReadOnlyList<TransferRequest> Transfers, JobOptions? Options = null);

/// <summary>One transfer of a job.</summary>
/// <param name="Operation"><c>get</c>, <c>put</c>, <c>copy</c>, or <c>prestage</c> where the client can do it.</param>
/// <param name="Source">Object URL, or absolute local path.</param>
/// <param name="Destination">The same; null for <c>prestage</c> alone.</param>
/// <param name="Recursive">Whether a whole tree is meant.</param>
public sealed record TransferRequest(string Operation, string Source, string? Destination = null, bool Recursive = false);

/// <summary>Options of a job or of a file operation. Those of the specification first, then ours.</summary>
public sealed record JobOptions
{
    /// <summary>Absolute path of a token file.</summary>
    public string? Token { get; init; }

    /// <summary>The file of <see cref="Token"/> was made for this job alone: the server removes it when the job is over.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool ForgetToken { get; init; }

    /// <summary>Servers to use first; a last <c>+</c> adds the director's.</summary>
    public IReadOnlyList<string>? Caches { get; init; }

    /// <summary>Accepted for compatibility; only <c>http</c> means anything.</summary>
    public IReadOnlyList<string>? Methods { get; init; }

    /// <summary>Refused until archives are there.</summary>
    public string? PackOption { get; init; }

    /// <summary>Read from origins.</summary>
    public bool Direct { get; init; }

    /// <summary>Replace existing objects.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Fail where no server has a checksum.</summary>
    public bool RequireChecksum { get; init; }

    /// <summary>Algorithm to insist on, by its wire name.</summary>
    public string? ChecksumAlgorithm { get; init; }

    /// <summary>Federation of paths without a scheme; null for the daemon's own.</summary>
    public string? Federation { get; init; }

    /// <summary>A name for the job, at most 255 characters, for people to know it by; null for none.</summary>
    public string? Label { get; init; }

    /// <summary>The caller's umask, octal (<c>"022"</c>); null for the daemon's own.</summary>
    public string? Umask { get; init; }
}
