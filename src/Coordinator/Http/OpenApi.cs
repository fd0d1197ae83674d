using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;
using Federated.Coordinator.Identity;
using Federated.Protocol.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Federated.Coordinator.Http;

/// <summary>The OpenAPI 3.1 document, made of the endpoints that are really mapped and of the messages' own JSON contracts.</summary>
internal static class OpenApi
{
    private const string Problem = "Problem";

    public static void Map(WebApplication app)
    {
        byte[]? document = null;
        app.MapGet("/openapi/v1.json", async context =>
        {
            document ??= JsonSerializer.SerializeToUtf8Bytes(Build(((IEndpointRouteBuilder)app).DataSources.SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()), NodeJson.Default.JsonObject);
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = document.Length;
            await context.Response.Body.WriteAsync(document, context.RequestAborted).ConfigureAwait(false);
        }).WithMetadata(Access.Anybody);
    }

    internal static JsonObject Build(IEnumerable<RouteEndpoint> endpoints)
    {
        var schemas = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        Refer(WireJson.Default.ProblemMessage, schemas, Problem);
        var paths = new JsonObject();
        foreach (var group in endpoints.Where(e => e.Metadata.GetMetadata<Says>() is not null).GroupBy(e => PathOf(e)).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            var path = new JsonObject();
            foreach (var endpoint in group)
            {
                foreach (var method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [])
                {
                    path[method.ToLowerInvariant()] = Operation(endpoint, schemas);
                }
            }

            paths[group.Key] = path;
        }

        var components = new JsonObject();
        foreach (var (name, schema) in schemas)
        {
            components[name] = schema;
        }

        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Federated coordinator",
                ["version"] = "1",
                ["description"] = "docs/protocol.md tells what clients do with it, docs/problems.md what each problem means.",
            },
            ["paths"] = paths,
            ["components"] = new JsonObject
            {
                ["schemas"] = components,
                ["securitySchemes"] = new JsonObject
                {
                    ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" },
                    ["certificate"] = new JsonObject { ["type"] = "mutualTLS" },
                },
            },
        };
    }

    private static JsonObject Operation(RouteEndpoint endpoint, SortedDictionary<string, JsonNode> schemas)
    {
        var says = endpoint.Metadata.GetMetadata<Says>()!;
        var access = endpoint.Metadata.GetMetadata<Access>();
        var success = new JsonObject { ["description"] = says.Summary };
        if (says.Reply is not null)
        {
            success["content"] = Json(Refer(says.Reply, schemas));
        }

        var operation = new JsonObject
        {
            ["summary"] = says.Summary,
            ["responses"] = new JsonObject
            {
                [says.Status.ToString(CultureInfo.InvariantCulture)] = success,
                ["default"] = new JsonObject
                {
                    ["description"] = "A problem; its type is one of docs/problems.md.",
                    ["content"] = new JsonObject { ["application/problem+json"] = new JsonObject { ["schema"] = Reference(Problem) } },
                },
            },
        };
        var parameters = new JsonArray();
        foreach (var parameter in endpoint.RoutePattern.Parameters)
        {
            parameters.Add(new JsonObject { ["name"] = parameter.Name, ["in"] = "path", ["required"] = true, ["schema"] = new JsonObject { ["type"] = "string" } });
        }

        if (access?.IsProtocol == true)
        {
            parameters.Add(new JsonObject { ["name"] = Protocol.ProtocolVersion.Header, ["in"] = "header", ["required"] = true, ["schema"] = new JsonObject { ["type"] = "integer" } });
        }

        if (parameters.Count > 0)
        {
            operation["parameters"] = parameters;
        }

        if (says.Request is not null)
        {
            operation["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Json(Refer(says.Request, schemas)) };
        }

        if (access?.Needed is { } role)
        {
            operation["description"] = $"For {(access.ClientsToo ? "clients, viewers and operators" : role == Role.Viewer ? "viewers and operators" : role.ToString().ToLowerInvariant() + "s")}.";
            operation["security"] = role == Role.Client
                ? new JsonArray(new JsonObject { ["bearer"] = new JsonArray() }, new JsonObject { ["certificate"] = new JsonArray() })
                : new JsonArray(new JsonObject { ["bearer"] = new JsonArray() });
        }

        return operation;
    }

    /// <summary>The route without its constraints.</summary>
    private static string PathOf(RouteEndpoint endpoint) => string.Concat(
        endpoint.RoutePattern.PathSegments.Select(segment => "/" + string.Concat(segment.Parts.Select(part => part switch
        {
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternParameterPart parameter => $"{{{parameter.Name}}}",
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal => literal.Content,
            Microsoft.AspNetCore.Routing.Patterns.RoutePatternSeparatorPart separator => separator.Content,
            _ => "",
        }))));

    private static JsonObject Json(JsonNode schema) => new() { ["application/json"] = new JsonObject { ["schema"] = schema } };

    private static JsonObject Refer(JsonTypeInfo type, SortedDictionary<string, JsonNode> schemas, string? name = null)
    {
        name ??= type.Type.Name;
        if (!schemas.ContainsKey(name))
        {
            schemas.Add(name, type.GetJsonSchemaAsNode());
        }

        return Reference(name);
    }

    private static JsonObject Reference(string name) => new() { ["$ref"] = $"#/components/schemas/{name}" };
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonObject))]
internal sealed partial class NodeJson : System.Text.Json.Serialization.JsonSerializerContext;
