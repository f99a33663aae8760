namespace Pelican.Transfer;

/// <summary>One row of the error table: what an error is called, and what every surface makes of it.</summary>
/// <param name="Name">Dotted class name, e.g. <c>Transfer.ChecksumMismatch</c>.</param>
/// <param name="Code">Number of the class, the Go client's where it has one (federation-protocol 7.1).</param>
/// <param name="ExitStatus">Exit status of the process when the error is not retryable.</param>
/// <param name="Retryable">Whether the same command can succeed later without anything being changed.</param>
/// <param name="HttpStatus">Status with which the Client API server reports it.</param>
/// <param name="ApiCode">Value of <c>code</c> in the Client API server's error body.</param>
internal sealed record ErrorRow(
    string Name, int Code, int ExitStatus, bool Retryable, int HttpStatus, string ApiCode);

/// <summary>The one error table. A row is chosen where the fault is seen and never by the text of a message.</summary>
internal static class Errors
{
    /// <summary>Exit status of any error that a later try can cure, as in the Go client.</summary>
    public const int RetryableExitStatus = 11;

    public static readonly ErrorRow Parameter = new("Parameter", 1000, 4, false, 400, "INVALID_REQUEST");
    public static readonly ErrorRow LocalFileNotFound = new("Parameter.FileNotFound", 1011, 4, false, 400, "INVALID_REQUEST");
    public static readonly ErrorRow Configuration = new("Parameter.Configuration", 1020, 4, false, 400, "INVALID_REQUEST");

    public static readonly ErrorRow Resolution = new("Resolution", 2000, 5, false, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow ResolutionTimeout = new("Resolution.Timeout", 2001, 5, true, 504, "TIMEOUT");
    public static readonly ErrorRow ResolutionConnection = new("Resolution.ConnectionFailure", 2002, 5, true, 500, "TRANSFER_FAILED");

    public static readonly ErrorRow Director = new("Contact.Director", 3001, 6, true, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow DirectorRefused = new("Contact.DirectorRefused", 3011, 6, false, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow ConnectionReset = new("Contact.ConnectionReset", 3005, 6, true, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow ConnectionSetup = new("Contact.ConnectionSetup", 3006, 6, true, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow Certificate = new("Contact.Certificate", 3007, 6, false, 500, "TRANSFER_FAILED");

    public static readonly ErrorRow Authorization = new("Authorization", 4000, 7, false, 401, "UNAUTHORIZED");
    public static readonly ErrorRow TokenExpired = new("Authorization.TokenExpired", 4001, 7, true, 401, "UNAUTHORIZED");
    public static readonly ErrorRow TokenNotFound = new("Authorization.TokenNotFound", 4010, 7, false, 401, "UNAUTHORIZED");

    public static readonly ErrorRow Specification = new("Specification", 5000, 8, false, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow NotSupported = new("Specification.NotSupported", 5001, 8, false, 400, "INVALID_REQUEST");
    public static readonly ErrorRow NotFound = new("Specification.FileNotFound", 5011, 8, false, 404, "NOT_FOUND");
    public static readonly ErrorRow AlreadyExists = new("Specification.FileAlreadyExists", 5012, 8, false, 409, "CONFLICT");
    public static readonly ErrorRow IsCollection = new("Specification.IsCollection", 5013, 8, false, 400, "INVALID_REQUEST");
    public static readonly ErrorRow CollectionNotEmpty = new("Specification.CollectionNotEmpty", 5014, 8, false, 409, "CONFLICT");
    public static readonly ErrorRow ObjectChanged = new("Specification.ObjectChanged", 5015, 8, true, 500, "TRANSFER_FAILED");

    public static readonly ErrorRow Transfer = new("Transfer", 6000, 9, true, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow Stopped = new("Transfer.StoppedTransfer", 6001, 9, true, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow Slow = new("Transfer.SlowTransfer", 6002, 9, true, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow TimedOut = new("Transfer.TimedOut", 6003, 9, true, 504, "TIMEOUT");
    public static readonly ErrorRow HeaderTimeout = new("Transfer.HeaderTimeout", 6004, 9, true, 504, "TIMEOUT");
    public static readonly ErrorRow DirectorTimeout = new("Transfer.DirectorTimeout", 6005, 9, true, 504, "TIMEOUT");
    public static readonly ErrorRow ChecksumMismatch = new("Transfer.ChecksumMismatch", 6006, 9, true, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow ChecksumMissing = new("Transfer.ChecksumMissing", 6007, 9, false, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow OriginUnresponsive = new("Transfer.OriginUnresponsive", 6008, 9, true, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow OriginSlow = new("Transfer.OriginSlow", 6009, 9, true, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow Overloaded = new("Transfer.CacheOverloaded", 6010, 9, true, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow Protocol = new("Transfer.Protocol", 6011, 9, true, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow ServerFull = new("Transfer.ServerFull", 6012, 9, true, 500, "TRANSFER_FAILED");

    public static readonly ErrorRow Local = new("Local", 7000, 10, false, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow LocalFull = new("Local.NoSpace", 7001, 10, false, 500, "TRANSFER_FAILED");
    public static readonly ErrorRow LocalDenied = new("Local.PermissionDenied", 7002, 10, false, 500, "TRANSFER_FAILED");

    public static readonly ErrorRow ServerNotRunning = new("ClientApi.NotRunning", 8001, 12, false, 500, "INTERNAL_ERROR");
    public static readonly ErrorRow ServerRunning = new("ClientApi.AlreadyRunning", 8002, 12, false, 409, "CONFLICT");
    public static readonly ErrorRow ServerUnresponsive = new("ClientApi.Unresponsive", 8003, 12, false, 504, "TIMEOUT");

    public static readonly ErrorRow Internal = new("Internal", 9000, 1, false, 500, "INTERNAL_ERROR");

    /// <summary>Every row, for the table in README and the test that compares both.</summary>
    public static IReadOnlyList<ErrorRow> All { get; } =
    [
        Parameter, LocalFileNotFound, Configuration,
        Resolution, ResolutionTimeout, ResolutionConnection,
        Director, DirectorRefused, ConnectionReset, ConnectionSetup, Certificate,
        Authorization, TokenExpired, TokenNotFound,
        Specification, NotSupported, NotFound, AlreadyExists, IsCollection, CollectionNotEmpty, ObjectChanged,
        Transfer, Stopped, Slow, TimedOut, HeaderTimeout, DirectorTimeout, ChecksumMismatch, ChecksumMissing,
        OriginUnresponsive, OriginSlow, Overloaded, Protocol, ServerFull,
        Local, LocalFull, LocalDenied,
        ServerNotRunning, ServerRunning, ServerUnresponsive,
        Internal,
    ];
}
