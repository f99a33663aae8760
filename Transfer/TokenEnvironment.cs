namespace Pelican.Transfer;

/// <summary>
/// Where tokens are looked for: the caller's environment, taken once by the command (tokens.md 3). It holds a secret,
/// so it is a class and prints nothing of itself.
/// </summary>
internal sealed class TokenEnvironment
{
    /// <summary>Value of <c>BEARER_TOKEN</c>; null when unset or empty.</summary>
    public string? BearerToken { get; init; }

    /// <summary>Value of <c>BEARER_TOKEN_FILE</c>; null when unset.</summary>
    public string? BearerTokenFile { get; init; }

    /// <summary>Value of <c>XDG_RUNTIME_DIR</c>; null when unset.</summary>
    public string? RuntimeDirectory { get; init; }

    /// <summary>Where <c>bt_u$UID</c> is looked for after <see cref="RuntimeDirectory"/>: <c>/tmp</c>, whatever <c>TMPDIR</c> says.</summary>
    public string TemporaryDirectory { get; init; } = "/tmp";

    /// <summary>Value of <c>TOKEN</c>, a file name; null when unset.</summary>
    public string? LegacyTokenFile { get; init; }

    /// <summary>Value of <c>_CONDOR_CREDS</c>, or <c>.condor_creds</c> below the caller's directory; null for none.</summary>
    public string? CondorCredentials { get; init; }

    /// <summary>The caller's real user id.</summary>
    public required uint UserId { get; init; }
}
