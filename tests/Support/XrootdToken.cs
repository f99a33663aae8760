namespace Pelican.Tests.Support;

/// <summary>A ready-made token of the test issuer, good for a day unless its name says what is wrong with it.</summary>
public enum XrootdToken
{
    /// <summary>Reads everything below <c>/protected</c>.</summary>
    Read,

    /// <summary>Reads, creates, overwrites and deletes everything below <c>/protected</c> and <c>/public</c>.</summary>
    Write,

    /// <summary>Creates what does not exist, nothing else.</summary>
    CreateOnly,

    /// <summary>Reads and overwrites below <c>/protected/sub</c> only.</summary>
    Subdir,

    /// <summary>Expired ten minutes ago; what it and all that follow grant is that of <see cref="Write"/>.</summary>
    Expired,

    /// <summary>Good in two hours.</summary>
    NotYet,

    /// <summary>Scopes that have nothing to do with storage.</summary>
    WrongScope,

    /// <summary>From an issuer that the servers do not trust.</summary>
    WrongIssuer,

    /// <summary>Meant for another service.</summary>
    WrongAudience,

    /// <summary>One bit of the signature is wrong.</summary>
    BadSignature,
}
