namespace Pelican.Transfer;

/// <summary>What an operation does to an object, in the terms of token scopes (tokens.md 4.2).</summary>
internal enum TokenPurpose
{
    /// <summary>Read the object.</summary>
    Read,

    /// <summary>List the collection.</summary>
    List,

    /// <summary>Create or replace the object.</summary>
    Write,

    /// <summary>Remove the object.</summary>
    Delete,
}

/// <summary>What a token is wanted for. It holds names only, never a token.</summary>
/// <param name="TokenFile">File named by the user, absolute; null to look in the usual places.</param>
/// <param name="TokenName">Name from the URL's scheme (<c>name+osdf://</c>), for the HTCondor directory; null for none.</param>
/// <param name="Path">The object or collection.</param>
/// <param name="Answer">What the director says about its namespace.</param>
/// <param name="Purposes">Everything that will be done with the token; each must be covered by a scope.</param>
internal sealed record TokenRequest(
    string? TokenFile, string? TokenName, ObjectPath Path, DirectorAnswer Answer, IReadOnlyList<TokenPurpose> Purposes)
{
    /// <summary>Whether a later try may find a renewed token.</summary>
    public bool IsRenewed { get; init; } = true;
}
