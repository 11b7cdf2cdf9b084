"""The Python original's gRPC server: grpcio with ten threads, the four products in a list."""

import sys
import threading
from concurrent import futures
from pathlib import Path

import grpc

sys.path.append(str(Path(__file__).resolve().parents[2] / "proto"))
messages, services = grpc.protos_and_services("produtos.proto")


class ProdutoService(services.ProdutoServiceServicer):
    def __init__(self):
        self.lock = threading.Lock()
        self.produtos = [
            messages.Produto(nome=nome, preco=preco, quantidade=quantidade)
            for nome, preco, quantidade in [("Maca", 3, 20), ("Pera", 5, 15), ("Banana", 10, 30), ("Caju", 2, 60)]
        ]

    def find(self, nome, context):
        for produto in self.produtos:
            if produto.nome == nome:
                return produto
        context.abort(grpc.StatusCode.NOT_FOUND, "Produto não encontrado.")

    def ListarProdutos(self, request, context):
        return messages.ListaProdutos(produtos=self.produtos)

    def ConsultarProdutoNome(self, request, context):
        return messages.ProdutoResponse(produto=self.find(request.nome, context))

    def ConsultarProdutoPreco(self, request, context):
        found = [produto for produto in self.produtos if produto.preco <= request.preco_max]
        return messages.ListaProdutos(produtos=found)

    def AtualizarEstoque(self, request, context):
        with self.lock:
            produto = self.find(request.nome, context)
            if produto.quantidade + request.quantidade < 0:
                context.abort(grpc.StatusCode.FAILED_PRECONDITION, "Estoque insuficiente.")
            produto.quantidade += request.quantidade
        return messages.AtualizarResponse(mensagem=f"Estoque de {produto.nome}: {produto.quantidade}")


if __name__ == "__main__":
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=10))
    services.add_ProdutoServiceServicer_to_server(ProdutoService(), server)
    server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
    server.start()
    server.wait_for_termination()
