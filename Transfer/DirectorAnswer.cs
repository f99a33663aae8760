namespace Pelican.Transfer;

/// <summary>How a director tells that a token can be acquired (<c>X-Pelican-Token-Generation</c>, federation-protocol 2.7).</summary>
/// <param name="Issuers">Issuers whose tokens are accepted; empty when not said.</param>
/// <param name="BasePath">What scopes are relative to; null for the namespace prefix.</param>
/// <param name="Strategy"><c>OAuth2</c> or <c>Vault</c>; null when not said.</param>
/// <param name="MaxScopeDepth">Components a requested scope may have; 0 for no limit.</param>
internal sealed record TokenGeneration(IReadOnlyList<string> Issuers, string? BasePath, string? Strategy, int MaxScopeDepth);

/// <summary>What a director answered for one object: where it is and what it takes to reach it (federation-protocol 2.4–2.7).</summary>
internal sealed record DirectorAnswer
{
    /// <summary>Object servers with the object's path, best first.</summary>
    public required IReadOnlyList<Uri> Servers { get; init; }

    /// <summary>Namespace prefix, decoded, without trailing slash; empty when the answer does not say.</summary>
    public string Namespace { get; init; } = "";

    /// <summary>Whether reading takes a token. Says nothing about writing.</summary>
    public bool RequireToken { get; init; }

    /// <summary>Base URL for listings, to which object paths are appended; null when listings are not offered.</summary>
    public Uri? CollectionsUrl { get; init; }

    /// <summary>Issuers of <c>X-Pelican-Authorization</c>.</summary>
    public IReadOnlyList<string> Issuers { get; init; } = [];

    /// <summary>How tokens are acquired; null when the answer does not say.</summary>
    public TokenGeneration? TokenGeneration { get; init; }
}
