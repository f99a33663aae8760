namespace Pelican.Transfer;

/// <summary>A bearer token and where it came from. It is a class so that nothing prints its value by accident.</summary>
/// <param name="value">The token: printable ASCII without blanks.</param>
/// <param name="place">Path or variable name, safe to show.</param>
/// <param name="claims">What the token says of itself; null for a token that is not a JWT.</param>
internal sealed class BearerToken(string value, string place, TokenClaims? claims)
{
    /// <summary>The secret, for the <c>Authorization</c> header only.</summary>
    public string Value { get; } = value;

    /// <summary>Path or variable name it came from, safe to show.</summary>
    public string Place { get; } = place;

    /// <summary>What the token says of itself, unverified; null for a token that is not a JWT.</summary>
    public TokenClaims? Claims { get; } = claims;

    /// <inheritdoc/>
    public override string ToString() => $"the token from {Place}";
}
