using Pelican.ClientApi;
using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>Gives what went wrong with the Client API server its row in the error table.</summary>
internal static class ApiFaults
{
    /// <summary>The same error, for the command line.</summary>
    public static PelicanException Of(ApiException error) => new(RowOf(error), error.Message, error.Detail, error) { Retryable = error.Retryable };

    private static ErrorRow RowOf(ApiException error) => error.Fault switch
    {
        ApiFault.NotRunning => Errors.ServerNotRunning,
        ApiFault.Denied => Errors.LocalDenied,
        ApiFault.Unreachable => Errors.Local,
        ApiFault.Broken => Errors.ConnectionReset,
        ApiFault.TimedOut => Errors.TimedOut,
        ApiFault.Foreign => Errors.Protocol,
        _ => error.Code switch
        {
            "INVALID_REQUEST" => Errors.Parameter,
            "NOT_FOUND" => Errors.NotFound,
            "UNAUTHORIZED" => Errors.Authorization,
            "CONFLICT" or "CANCELLED" => Errors.Specification,
            "TIMEOUT" => Errors.TimedOut,
            "TRANSFER_FAILED" => Errors.Transfer,
            "INTERNAL_ERROR" => Errors.Internal,
            _ => error.Status >= 500 ? Errors.Transfer : Errors.Specification,
        },
    };
}
